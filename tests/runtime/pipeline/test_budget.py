"""Threads that prepare leave the cores on which an engine computes to it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import bindrt
from bindrt import _core
from bindrt.errors import OptionError
from bindrt.pipeline import encoder
from support.engines import SimulatedEngine
from support.media import picture_bytes


class Inside:
    """How many threads are inside at once."""

    def __init__(self) -> None:
        self.most = self.passed = 0
        self._now = 0
        self._lock = threading.Lock()
        self.two = threading.Event()

    def __enter__(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            if self._now == 2:
                self.two.set()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._now -= 1
            self.passed += 1


class Watched(io.RawIOBase):
    """A file whose first reading is counted."""

    def __init__(self, inside: Inside, wait: Callable[[], object]) -> None:
        self._file = io.BytesIO(picture_bytes("JPEG"))
        self._inside, self._wait, self._first = inside, wait, True

    def readinto(self, buffer: Any) -> int:
        if self._first:
            self._first = False
            with self._inside:
                self._wait()
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[SimulatedEngine], bindrt.Model]]:
    """bind-tiny's images with an engine that says it computes on 64 cores, and four threads that prepare."""
    pool = _core.Workers(4)
    monkeypatch.setattr(encoder, "workers", lambda background, scheduling: pool)
    with ExitStack() as models:

        def loaded(engine: SimulatedEngine) -> bindrt.Model:
            engine.threads = 64  # type: ignore[attr-defined]
            models.callback(engine.gate.set)
            return models.enter_context(bindrt.load("tiny", modalities=["image"], engines={"vision": engine}))

        yield loaded


def test_one_thread_prepares_while_an_engine_has_all_cores(
    load: Callable[[SimulatedEngine], bindrt.Model],
) -> None:
    engine = SimulatedEngine(max_batch=16, held=True)
    model = load(engine)
    futures = [model.submit("image", picture_bytes("JPEG"))]
    assert engine.entered.wait(60)
    during = Inside()
    futures += [model.submit("image", Watched(during, lambda: time.sleep(0.01))) for _ in range(8)]
    end = time.monotonic() + 60
    while during.passed < 8 and time.monotonic() < end:
        time.sleep(0.01)
    engine.gate.set()
    assert (during.passed, during.most) == (8, 1)
    assert all(future.result(120) is not None for future in futures)
    after = Inside()
    futures = [model.submit("image", Watched(after, lambda: after.two.wait(60))) for _ in range(4)]
    assert all(future.result(120) is not None for future in futures)
    assert after.most >= 2


def test_an_engine_that_failed_has_no_cores(load: Callable[[SimulatedEngine], bindrt.Model]) -> None:
    def fail(rows: object) -> None:
        raise RuntimeError("no")

    model = load(SimulatedEngine(max_batch=16, before=fail))
    assert model.submit("image", picture_bytes("JPEG")).exception(120) is not None
    after = Inside()
    futures = [model.submit("image", Watched(after, lambda: after.two.wait(60))) for _ in range(2)]
    assert all(future.exception(120) is not None for future in futures)
    assert after.most >= 2


@pytest.mark.parametrize("threads", [-1, 2.5, True, "4"])
def test_threads_of_an_own_engine_are_a_number(threads: object) -> None:
    engine = SimulatedEngine()
    engine.threads = threads  # type: ignore[attr-defined]
    with pytest.raises(OptionError, match="threads must be a whole number"):
        bindrt.load("tiny", engines={"text": engine})
