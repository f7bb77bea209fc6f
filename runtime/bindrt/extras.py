"""How to get what is beyond the base installation, or repair what is part of it.

bindrt itself is in no package index, so these lines name the libraries. What they are, and from which version
on, the metadata of the installed bindrt says.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from urllib.parse import unquote, urlparse

from bindrt.installed import installed_version

_REQUIREMENT = re.compile(r"^(?P<what>[^;]+?)\s*(?:;.*\bextra\s*==\s*[\"'](?P<extra>[\w-]+)[\"'].*)?$")


def install(*extras: str) -> str:
    """The line that installs what extras bring, for example ``index``.

    >>> install("metrics")
    "pip install 'prometheus-client>=0.20'"
    """
    found = [what for extra in extras for what, of in _requirements() if of == extra]
    if not found:  # run from its source, or installed before the extra was made
        return f"pip install '.[{','.join(extras)}]' in bindrt's checkout"
    return "pip install " + " ".join(f"'{what}'" for what in dict.fromkeys(found))


def absent(extra: str) -> list[str]:
    """The distributions of an extra that are not installed."""
    names = [re.split(r"[^\w.-]", what, maxsplit=1)[0] for what, of in _requirements() if of == extra]
    return [name for name in names if not installed_version(name)]


def repair(distribution: str) -> str:
    """The line that installs a library of the base installation anew."""
    named = re.compile(rf"{re.escape(distribution)}\b(?!-)")
    what = next((what for what, of in _requirements() if not of and named.match(what)), distribution)
    return f"pip install --force-reinstall '{what}'"


def reinstall() -> str:
    """The line that installs bindrt itself anew: from where it came, where that is known."""
    from importlib import metadata  # when asked; see bindrt.installed

    try:
        told = metadata.distribution("bindrt").read_text("direct_url.json")
        url = urlparse(json.loads(told or "{}").get("url", ""))
    except (metadata.PackageNotFoundError, ValueError, AttributeError):
        url = urlparse("")
    if url.scheme == "file":
        return f"pip install --force-reinstall --no-deps '{unquote(url.path)}'"
    return "install bindrt again, from its wheel or its checkout"


@lru_cache(maxsize=1)
def _requirements() -> tuple[tuple[str, str], ...]:
    """Each requirement of the installed bindrt, with the extra that has it; empty for none."""
    from importlib import metadata

    try:
        listed = metadata.requires("bindrt") or []
    except metadata.PackageNotFoundError:
        return ()
    found = [match for text in listed if (match := _REQUIREMENT.match(text)) is not None]
    return tuple((match["what"], match["extra"] or "") for match in found)
