"""The tokenizer file that travels in the bundle."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from bindrt_export.artifacts.store import fresh

NAME = "clip_tokenizer.json.gz"


def write_tokenizer(folder: Path) -> Path:
    """Copy the CLIP vocabulary into the bundle."""
    target = fresh(folder / NAME)
    with as_file(files("bindrt") / "data" / NAME) as source:
        shutil.copyfile(source, target)
    return target
