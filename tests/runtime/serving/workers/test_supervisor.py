"""Which workers are started when, with processes that only wait."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from bindrt.serving.workers import supervisor as module
from bindrt.serving.workers.board import Board, State
from bindrt.serving.workers.supervisor import Supervisor, waiting


class Waiting:
    """A process as multiprocessing has it, which waits, or ends at once."""

    def __init__(self, ends: bool = False) -> None:
        self._process = subprocess.Popen(["true"] if ends else ["sleep", "600"])
        self.sentinel = os.pidfd_open(self._process.pid)
        self.pid = self._process.pid

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def join(self) -> None:
        self._process.wait()

    def close(self) -> None:
        os.close(self.sentinel)


def test_the_first_one_starts_alone(tmp_path: Path) -> None:
    board, started = Board(3, str(tmp_path)), []

    def start(number: int) -> Any:
        started.append((number, State(board.states[0])))
        if number == 0:
            threading.Timer(0.2, lambda: board.states.__setitem__(0, State.READY)).start()
        if number == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return Waiting()

    found = Supervisor(board, start, 60)
    found.run()
    assert started == [(0, State.COLD), (1, State.READY), (2, State.READY)]
    assert found.ended_by == signal.SIGTERM
    assert list(board.starts) == [1, 1, 1]


def test_one_that_dies_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT", 0.001)
    board, processes = Board(2, str(tmp_path)), []

    def start(number: int) -> Any:
        board.states[0] = State.READY
        if board.starts[1] == 4:
            os.kill(os.getpid(), signal.SIGINT)
        processes.append(Waiting(ends=number == 1))
        return processes[-1]

    found = Supervisor(board, start, 60)
    found.run()
    assert found.ended_by == signal.SIGINT
    assert list(board.starts) == [1, 4]
    assert [process.exitcode for process in processes].count(None) == 0
    assert "worker 1 ended with exit code 0; it is started again in 0.001 s" in caplog.text
    assert "worker 1 ended with exit code 0; it is started again in 0.004 s" in caplog.text


def test_one_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MERCY", 0.0)
    process = Waiting()
    os.kill(process.pid, signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)  # it is stopped: it takes no other signal than one

    def start(number: int) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return process

    Supervisor(Board(1, str(tmp_path)), start, 0.01).run()
    assert process.exitcode == -signal.SIGKILL


def test_waits_become_longer() -> None:
    assert [waiting(failures) for failures in range(5)] == [0, 0.5, 1, 2, 4]
    assert waiting(10_000) == 30
