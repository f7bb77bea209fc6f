"""A folder with the files that the documentation's examples name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from first_files import write_all

import bindrt
from support.recordings import write_run
from tiny.world import IMU_RATE, SOUND_RATE, motion, sample, sound

TINY = Path(bindrt.__file__).parent / "data" / "tiny.bind"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``examples/first_files.py`` writes, ``talk.wav``, ``run.mcap``, and bind-tiny as other bundles."""
    folder = tmp_path_factory.mktemp("files")
    write_all(folder)
    bell = sample(8_000_000, ("bell",), "test")
    write_run(folder / "run.mcap", sound(bell, 6.5), SOUND_RATE, motion(bell, 6.5), IMU_RATE)
    shutil.copy(folder / "bell.wav", folder / "talk.wav")
    for name in ("imagebind.bind", "A.bind"):
        (folder / name).symlink_to(TINY)
    return folder


@pytest.fixture(scope="session")
def server_url(model: bindrt.Model) -> Iterator[str]:
    """A server of bind-tiny."""
    from support.serving import running

    with running(model) as server:
        yield server.url


@pytest.fixture(scope="session")
def model() -> bindrt.Model:
    return bindrt.load("tiny")
