"""A bundle is made in a folder beside its place, and moved there by renaming."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bindrt.bundle import MANIFEST
from bindrt.errors import ExportError
from bindrt.locks import only_writer

#: The folder that the first artifact is written to.
FIRST = "onnx"
ANOTHER_NAME = "choose another name for -o, or remove it"


def existing_parent(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def require_space(output: Path, needed: int) -> None:
    """Say now, not after half an hour, that the disk is too small.

    Raises:
        ExportError: the disk has not that many bytes free.
    """
    free = shutil.disk_usage(existing_parent(output)).free
    if needed > free:
        raise ExportError(
            str(output),
            f"it needs {needed} bytes and {free} are free",
            "free some, or choose another disk for -o",
        )


def refuse_other_folder(output: Path) -> None:
    """Never replace something that is not a bundle."""
    if output.exists() and not (output / MANIFEST).is_file():
        raise ExportError(str(output), "it exists and is not a bundle", ANOTHER_NAME)


@contextmanager
def staging_for(output: Path) -> Iterator[Path]:
    """The folder beside ``output`` where artifacts are made; it keeps what a broken-off export has finished.

    Raises:
        ExportError: another export is at work there, or something else has the folder's name.
    """
    staging = output.with_name(output.name + ".partial")
    with only_writer(output, "export", "-o", ExportError):
        try:
            if not output.exists() and (old := set_aside(output)).exists():
                os.rename(old, output)  # killed between the two renames
            refuse_strangers(staging)
            staging.mkdir(exist_ok=True)
            yield staging
        finally:
            if staging.is_dir() and not any(staging.glob("parts/*.json")) and not is_foreign(staging):
                shutil.rmtree(staging, ignore_errors=True)  # nothing to go on from


def is_foreign(staging: Path) -> bool:
    if not staging.is_dir():
        return os.path.lexists(staging)
    return any(staging.iterdir()) and not (staging / FIRST).is_dir()


def refuse_strangers(staging: Path) -> None:
    """Never clear a folder that no export has made."""
    if is_foreign(staging):
        raise ExportError(
            str(staging), "it is where the export works, and holds something else", ANOTHER_NAME
        )


def set_aside(output: Path) -> Path:
    """The name of the bundle that is being replaced."""
    return output.with_name(f".{output.name}.old")


def move_into_place(staging: Path, output: Path) -> None:
    """Replace ``output`` by the finished folder; two renames, so it is never half a bundle."""
    old = set_aside(output)
    shutil.rmtree(old, ignore_errors=True)
    if output.exists():
        os.rename(output, old)
    os.rename(staging, output)
    shutil.rmtree(old, ignore_errors=True)
