"""What happened when in all encoders of a model, as one file for Perfetto or chrome://tracing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from bindrt import _core
from bindrt.errors import OptionError
from bindrt.option_checks import require_whole

MOST_SPANS = 10_000_000


class Recorder:
    """Collects the spans of pipelines that come and go; of each encoder the first ``spans``."""

    def __init__(self, spans: int) -> None:
        self._spans = spans
        self._origin = time.monotonic_ns()  # of the core's clock, too
        self._left: dict[str, int] = {}
        self._events: list[str] = []
        self._missed = 0
        self._recording: dict[_core.Pipeline, str] = {}

    def begin(self, encoder: str, core: _core.Pipeline) -> None:
        self._recording[core] = encoder
        core.start_trace(self._left.setdefault(encoder, self._spans), self._origin)

    def end(self, core: _core.Pipeline) -> None:
        """Nothing happens for one that was not begun here, or was ended: its spans are another trace's."""
        encoder = self._recording.pop(core, None)
        if encoder is None:
            return
        events, missed = core.stop_trace()
        self._missed += missed
        if events:
            # Two pipelines of an encoder may record at once: one that is being closed, and the next.
            self._left[encoder] = max(0, self._left[encoder] - events.count('"ph": "X"'))
            self._events.append(events)

    def end_all(self) -> None:
        for core in list(self._recording):
            self.end(core)

    def write(self, file: TextIO) -> None:
        file.write(f'{{"displayTimeUnit": "ms", "otherData": {{"missed": {self._missed}}}, "traceEvents": [')
        for i, events in enumerate(self._events):
            file.write("," if i else "")
            file.write(events)
        file.write("\n]}\n")


class Traceable(Protocol):
    """What can be recorded: the pipelines of a model."""

    def start_trace(self, spans: int) -> Recorder: ...

    def stop_trace(self) -> None: ...


@contextmanager
def traced(pipelines: Traceable, path: str | os.PathLike[str], spans: int) -> Iterator[None]:
    """Record while the block runs, and write the file at its end, also if it raises."""
    require_whole("spans", spans, "spans", 1, MOST_SPANS)
    if not isinstance(path, (str, os.PathLike)):  # open() takes the number of a descriptor, and closes it
        raise OptionError(f"path={path!r}"[:80], "not a path", "give the path of a file to write")
    with _write_errors(path):
        file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed below
    try:
        recorder = pipelines.start_trace(spans)
    except BaseException:
        file.close()
        raise
    try:
        yield
    finally:
        pipelines.stop_trace()
        with _write_errors(path), file:
            recorder.write(file)


@contextmanager
def _write_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a zero byte, or half a character, in the name
        reason = getattr(error, "strerror", None) or error
        raise OptionError(
            repr(os.fspath(path))[:200], f"it cannot be written ({reason})", "choose another file"
        ) from None
