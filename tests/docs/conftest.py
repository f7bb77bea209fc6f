"""A folder with the files that the documentation's examples name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from first_files import KINDS, SEED

import bindrt
from tiny.world import sample, write_files

TINY = Path(bindrt.__file__).parent / "data" / "tiny.bind"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``bell.jpg``, ``bell.wav``, …; ``photos/``, ``talk.wav``; bind-tiny as other bundles."""
    folder = tmp_path_factory.mktemp("files")
    for i, kind in enumerate(KINDS):
        write_files(sample(SEED + i, (kind,), "test"), folder, kind)
    (folder / "photos").mkdir()
    for kind in KINDS:
        shutil.copy(folder / f"{kind}.jpg", folder / "photos")
    shutil.copy(folder / "bell.wav", folder / "talk.wav")
    for name in ("imagebind.bind", "A.bind"):
        (folder / name).symlink_to(TINY)
    return folder


@pytest.fixture(scope="session")
def model() -> bindrt.Model:
    return bindrt.load("tiny")
