"""Docstrings as the site reads them: roles such as ``:class:`Model``` become code, examples become blocks."""

from __future__ import annotations

import re
from textwrap import indent
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|data|func|meth|mod|attr|exc):`[~.]?([^`]+)`")
#: Sphinx takes either word; the site makes a code block of the plural alone.
EXAMPLE = re.compile(r"^(\s*)Example:$", re.MULTILINE)
#: An example that no heading announces: a paragraph of its own.
BARE = re.compile(r"^>>> (?:.+\n?)+", re.MULTILINE)


class ReadableDocstrings(griffe.Extension):
    """Rewrites the docstring of every object that the reference shows."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            text = ROLE.sub(r"`\1`", obj.docstring.value)
            text = EXAMPLE.sub(r"\1Examples:", text)
            obj.docstring.value = BARE.sub(lambda found: "Examples:\n" + indent(found[0], "    "), text)
