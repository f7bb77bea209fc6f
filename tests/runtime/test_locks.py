"""One writer an output."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bindrt
from bindrt.locks import only_writer

HOLD = """
import sys, time
from pathlib import Path
from bindrt.locks import only_writer
with only_writer(Path(sys.argv[1]), "export", "-o"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    output = tmp_path / "new" / "out"
    other = subprocess.Popen([sys.executable, "-c", HOLD, output], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    (tmp_path / "link").symlink_to(output)
    for name in (output, tmp_path / "link"):
        with (
            pytest.raises(bindrt.Error, match=rf"another export is writing it \(process {other.pid}\)"),
            only_writer(name, "export", "-o"),
        ):
            pass
    other.kill()
    other.communicate()
    assert (output.parent / ".out.lock").exists()
    with only_writer(output, "export", "-o"):
        pass
    assert list(output.parent.iterdir()) == []


def test_a_lock_file_that_was_removed_meanwhile_locks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder ends between our opening the file and locking it."""
    lock = fcntl.flock
    opened = []

    def removed_first(descriptor: int, how: int) -> None:
        if not opened:
            (tmp_path / ".out.lock").unlink()
        opened.append(descriptor)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    with only_writer(tmp_path / "out", "export", "-o"):
        assert len(opened) == 2
        assert os.path.samestat(os.fstat(opened[1]), os.stat(tmp_path / ".out.lock"))


def test_the_error_is_of_the_kind_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> None:
        raise BlockingIOError

    monkeypatch.setattr(fcntl, "flock", busy)
    with (
        pytest.raises(bindrt.errors.ExportError, match="choose another --index"),
        only_writer(tmp_path / "out", "export", "--index", bindrt.errors.ExportError),
    ):
        pass


@pytest.mark.parametrize("make", ["symlink_to", "hardlink_to"])
def test_a_lock_that_is_another_file_is_not_written(make: str, tmp_path: Path) -> None:
    """In a folder of several users anybody may put a link there."""
    other = tmp_path / "other"
    other.write_text("precious")
    getattr(tmp_path / ".out.lock", make)(other)
    with pytest.raises(OSError, match="lock"), only_writer(tmp_path / "out", "export", "-o"):
        pass
    assert other.read_text() == "precious"
