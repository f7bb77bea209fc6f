"""The windows of a recording, embedded as fast as possible or in its own time."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bindrt.errors import Error, OptionError
from bindrt.recordings.embedding.routing import Router
from bindrt.recordings.embedding.topic_feeds import WindowOptions
from bindrt.recordings.embedding.topic_windows import ReadyItem, TopicWindow
from bindrt.recordings.messages import Choice
from bindrt.recordings.recording import Recording
from bindrt.recordings.sample import Sample

if TYPE_CHECKING:
    from bindrt.model import Model

#: Windows in work before the first result is waited for.
_AHEAD = 64
#: In its own time: windows of a topic in work; if one more comes, the oldest is dropped.
_QUEUE = 8
#: In its own time: seconds without a sample before results are looked for all the same.
_LOOK = 0.05


def embed_recording(
    model: Model,
    recording: Recording,
    choices: Mapping[str, Choice] | None = None,
    options: WindowOptions | None = None,
    realtime: bool = False,
    seen: Callable[[Sample], object] | None = None,
) -> Iterator[TopicWindow]:
    """The vectors of a recording's windows, in the order in which they were recorded, in constant memory.

    Args:
        recording: what could not be read, or not embedded, is counted and named in its ``report``.
        choices: which topics are embedded as what; None: all whose type is known and whose modality the model
            has.
        options: how long windows are.
        realtime: as fast as it was recorded. If the model is slower, the newest windows win and those left
            out are counted; else none is left out.
        seen: called with each sample that is used, when it is.

    Raises:
        OptionError: a chosen topic is not there, or the model does not have its modality.
        EngineError: the engine failed.
    """
    for topic, choice in (choices or {}).items():
        if choice.modality is not None and choice.modality not in model.modalities:
            raise OptionError(
                f"topic {topic}",
                f"the bundle has no {choice.modality}",
                f"it has {', '.join(model.modalities)}",
            )
    samples: Iterator[Sample | None] = recording.samples(choices)
    if realtime:
        samples = paced(recording.samples(choices), longest=_LOOK)
    return WindowsInWork(model, recording, realtime, seen).run(
        samples, Router(options or WindowOptions(), recording.report)
    )


def paced(
    samples: Iterator[Sample],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
    longest: float = math.inf,
) -> Iterator[Sample | None]:
    """Samples when they come, as they were recorded; None after each ``longest`` seconds without any."""
    begun, first = 0.0, 0
    for sample in samples:
        if not first:
            begun, first = clock(), sample.recorded
        while (wait := (sample.recorded - first) * 1e-9 - (clock() - begun)) > longest:
            sleep(longest)
            yield None
        if wait > 0:
            sleep(wait)
        yield sample


class WindowsInWork:
    """Windows that the model works on, in order."""

    def __init__(
        self,
        model: Model,
        recording: Recording,
        drops: bool,
        seen: Callable[[Sample], object] | None = None,
    ) -> None:
        self._model = model
        self._seen = seen or (lambda sample: None)
        self._report = recording.report
        self._drops = drops
        self._work: deque[tuple[ReadyItem, float, Any]] = deque()
        self._dropped: Counter[str] = Counter()

    def run(self, samples: Iterator[Sample | None], router: Router) -> Iterator[TopicWindow]:
        try:
            for sample in samples:
                if sample is None:  # time passes
                    pass
                elif sample.modality in self._model.modalities:
                    self._seen(sample)
                    for item in router.push(sample):
                        self._submit(item)
                else:
                    self._report.note(f"{sample.topic}: the bundle has no {sample.modality}")
                yield from self._finished(_AHEAD)
            for item in router.end():
                self._submit(item)
                yield from self._finished(_AHEAD)
            yield from self._finished(0)
        finally:
            for _, _, future in self._work:
                future.cancel()
            for topic, count in self._dropped.items():
                self._report.note(f"{topic}: {count} windows were left out, since the model was slower")

    def _submit(self, item: ReadyItem) -> None:
        if self._drops:
            mine = [entry for entry in self._work if entry[0].topic == item.topic]
            if len(mine) >= _QUEUE:
                self._work.remove(mine[0])
                mine[0][2].cancel()
                self._dropped[item.topic] += 1
        submit: Any = self._model.submit
        self._work.append((item, time.monotonic(), submit(item.modality, item.item)))

    def _finished(self, most: int) -> Iterator[TopicWindow]:
        """Results in order: those that are there, and so many that at most ``most`` stay in work."""
        while self._work and (len(self._work) > most or self._work[0][2].done()):
            item, arrived, future = self._work.popleft()
            try:
                vector = future.result()
            except Error as error:
                self._report.fail(item.topic, error.problem)
                continue
            notes = {**item.notes, **getattr(future, "notes", {})}
            yield TopicWindow(
                item.topic, item.modality, item.start, item.end, vector, item.recorded,
                self._dropped[item.topic], notes, arrived, time.monotonic(),
            )  # fmt: skip
