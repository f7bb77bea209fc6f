"""The libraries of the extra ``recordings``: imported when a recording needs them."""

from __future__ import annotations

from typing import Any

from bindrt.extras import install
from bindrt.sources.optional import optional


def library(module: str, distribution: str) -> Any:
    """A module of the extra ``recordings``.

    Raises:
        Error: it is not installed, or does not load.
    """
    return optional(module, distribution, "recordings", install("recordings"))
