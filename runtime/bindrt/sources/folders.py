"""The files in a folder, as the commands read them."""

from __future__ import annotations

import os
from collections.abc import Iterator


def files_below(folder: str, links: bool = False) -> Iterator[str]:
    """The files below a folder in sorted order.

    Hidden files are left out, and links to folders are not followed. Folders that cannot be read come last:
    the caller must report them.

    Args:
        links: links to folders come too, for a caller that says that they were not followed.
    """
    refused: list[str] = []
    for root, folders, files in os.walk(folder, onerror=lambda error: refused.append(error.filename)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [name for name in folders if links and os.path.islink(os.path.join(root, name))]
        for name in sorted([*files, *linked]):
            if not name.startswith("."):
                yield os.path.join(root, name)
    yield from refused
