"""The files in a folder, as the commands read them."""

from __future__ import annotations

import os
from collections.abc import Iterator


def files_below(folder: str) -> Iterator[str]:
    """The files below a folder in sorted order.

    Hidden files are left out, and links to folders are not followed. Folders that cannot be read come last:
    the caller must report them.
    """
    refused: list[str] = []
    for root, folders, files in os.walk(folder, onerror=lambda error: refused.append(error.filename)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield os.path.join(root, name)
    yield from refused
