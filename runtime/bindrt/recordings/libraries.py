"""The libraries of the extra ``recordings``: imported when a recording needs them."""

from __future__ import annotations

import importlib
from typing import Any

from bindrt.errors import Error
from bindrt.extras import install


def library(module: str, distribution: str) -> Any:
    """A module of the extra ``recordings``.

    Raises:
        Error: it is not installed, or does not load.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = getattr(error, "name", None) == module.partition(".")[0]
        problem = "recordings need it, and it is not installed" if missing else f"it does not load: {error}"
        raise Error(distribution, problem, install("recordings")) from error
