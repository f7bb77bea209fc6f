"""The tools themselves, imported when they are used."""

from __future__ import annotations

import importlib
from typing import Any

from bindrt.errors import Error
from bindrt.extras import install


def tool(module: str, extra: str) -> Any:
    """A tool's module.

    Args:
        extra: the extra that brings it.

    Raises:
        Error: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise Error(name, "it is not installed", install(extra)) from None
