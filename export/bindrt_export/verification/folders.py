"""Folders of a user's own files, ``DIR/MODALITY/file``, as ``--calibration`` and ``--pairs`` take them."""

from __future__ import annotations

from pathlib import Path

from bindrt.errors import OptionError

#: The most that is read of a text file.
MAX_TEXT_BYTES = 1 << 20


def files_in(folder: Path) -> list[Path]:
    """The files of a folder by name, without hidden ones; none if there is no such folder."""
    return sorted(p for p in folder.glob("*") if p.is_file() and not p.name.startswith("."))


def read_text(path: Path, option: str, remedy: str) -> str:
    """The text of a file.

    Raises:
        OptionError: it is not UTF-8; ``option`` is the option that named the folder.
    """
    try:
        with open(path, "rb") as file:
            return file.read(MAX_TEXT_BYTES).decode("utf-8")
    except ValueError:
        raise OptionError(f"{option} {path}", "it is not UTF-8", remedy) from None
