"""Libraries of the extras ``formats`` and ``recordings``: imported when a file needs them."""

from __future__ import annotations

import importlib
from typing import Any

from bindrt.errors import Error


def optional(module: str, distribution: str, reads: str, remedy: str = "") -> Any:
    """A library that reads some formats.

    Args:
        distribution: what pip calls it.
        reads: what it reads, for the error.
        remedy: how to get it; empty: by itself.

    Raises:
        Error: it is not installed, or does not load.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = getattr(error, "name", None) == module.partition(".")[0]
        problem = f"{reads} need it, and it is not installed" if missing else f"it does not load: {error}"
        raise Error(distribution, problem, remedy or f"pip install {distribution}") from error
