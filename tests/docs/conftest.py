"""A folder with the files that the documentation's examples name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from first_files import write_all

import bindrt

TINY = Path(bindrt.__file__).parent / "data" / "tiny.bind"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``examples/first_files.py`` writes, ``talk.wav``, and bind-tiny as other bundles."""
    folder = tmp_path_factory.mktemp("files")
    write_all(folder)
    shutil.copy(folder / "bell.wav", folder / "talk.wav")
    for name in ("imagebind.bind", "A.bind"):
        (folder / name).symlink_to(TINY)
    return folder


@pytest.fixture(scope="session")
def model() -> bindrt.Model:
    return bindrt.load("tiny")
