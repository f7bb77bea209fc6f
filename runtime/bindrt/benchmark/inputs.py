"""The items of a benchmark: the user's files by modality, and what is submitted of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bindrt.errors import InputError, OptionError
from bindrt.preprocess import detect, prepare
from bindrt.sources.folders import files_below

#: By modality, paths; for text, the texts themselves.
Sources = dict[str, list[str]]


def open_items(sources: Mapping[str, Sequence[str]], tensors: bool) -> dict[str, list[object]]:
    """The items to submit: paths and texts, or with ``tensors`` what preprocessing makes of them."""
    if not tensors:
        return {m: list(given) for m, given in sources.items()}
    return {m: [prepare(m, item) for item in given] for m, given in sources.items()}


def from_files(paths: Sequence[str], wanted: Sequence[str], explicit: bool) -> Sources:
    """The user's files by modality, for those modalities of ``wanted`` that have any.

    Folders are searched. Where one modality is asked for, all files belong to it; else the content of each
    file decides. A ``.txt`` file has a text a line.

    Args:
        explicit: the user named the modalities, so each must have a file.

    Raises:
        InputError, OptionError: a file is missing or of no modality; a modality has none.
    """
    found: Sources = {}
    for path in paths:
        listed = os.path.isdir(path)
        for name in files_below(path) if listed else [path]:
            modality = modality_of(name, wanted, explicit, listed)
            if modality == "text":
                found.setdefault("text", []).extend(lines_of(name))
            elif modality is not None:
                found.setdefault(modality, []).append(name)
    missing = [m for m in wanted if not found.get(m)]
    if not found or (explicit and missing):
        raise OptionError(
            "--files",
            f"no file of {', '.join(missing)}",
            "add some, name fewer with --modality, or leave --files out: files are made",
        )
    return {m: found[m] for m in wanted if m in found}


def modality_of(name: str, wanted: Sequence[str], explicit: bool, listed: bool) -> str | None:
    """A file's modality; None: it was found in a folder and is not wanted."""
    if explicit and len(wanted) == 1:
        return wanted[0] if wanted[0] != "text" or not listed or name.endswith(".txt") else None
    modality = "text" if name.endswith(".txt") else detect(name)
    if modality in wanted:
        return modality
    if listed:
        return None
    if modality is None:
        raise InputError(
            name, "its modality cannot be told", "depth, thermal and imu files of other kinds than .npz need "
            "--modality with that one alone"
        )  # fmt: skip
    raise InputError(name, f"its modality is {modality}", f"measured are {', '.join(wanted)}")


def lines_of(path: str) -> list[str]:
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, f"it cannot be read as text ({error})", "give UTF-8, a text a line") from None
    return [line for line in lines if line.strip()]
