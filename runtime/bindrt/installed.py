"""Which distributions are installed.

``importlib.metadata`` takes longer to import than it takes to open an index, so it is imported when asked.
"""

from __future__ import annotations


def installed_version(*distributions: str) -> str:
    """The version of the first that is installed; empty if none is.

    >>> installed_version("no-such-library", "numpy") == np.__version__
    True
    """
    from importlib import metadata

    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""
