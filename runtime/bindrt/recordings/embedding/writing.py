"""An MCAP file of vectors, scores and events, which Foxglove and Rerun open as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from bindrt.errors import cannot_write
from bindrt.monitoring import Event
from bindrt.recordings.embedding.messages import event_type, score_fields, scores_type, vector_type
from bindrt.recordings.embedding.topic_windows import TopicWindow
from bindrt.recordings.libraries import library

#: Where events stand; vectors and scores stand below the topic that they are of.
EVENTS = "/bindrt/events"


class VectorWriter:
    """Writes an MCAP file; it appears under its name when it is complete.

    Topics: ``/bindrt<topic>/vector``, ``/bindrt<topic>/scores`` and ``/bindrt/events``.
    """

    def __init__(self, path: Path, space: str, names: Sequence[str] = ()) -> None:
        """
        Args:
            space: the fingerprint of the vectors' space.
            names: the names of the prompts; none: no scores.

        Raises:
            Error: the file cannot be written, or the extra ``recordings`` is not installed.
        """
        self._path, self._part = path, path.with_name(path.name + ".part")
        self._space = space
        self._vector, self._event = vector_type(), event_type()
        self._fields = score_fields(names)
        self._scores = scores_type(names) if names else None
        writer = library("mcap_protobuf.writer", "mcap-protobuf-support").Writer
        try:
            self._file = open(self._part, "wb")  # noqa: SIM115 - __exit__ closes it
        except OSError as error:
            raise cannot_write(path, error) from error
        self._writer: Any = writer(self._file)

    def add(self, window: TopicWindow, scores: Mapping[str, float]) -> None:
        """Writes the vector of a window and its scores, at the time when the window was recorded."""
        common = {
            "topic": window.topic, "modality": window.modality, "start": window.start, "end": window.end,
        }  # fmt: skip
        vector = self._vector(
            **common,
            vector=window.vector.tolist(),
            space=self._space,
            dropped=window.dropped,
            notes=json.dumps(dict(window.notes)) if window.notes else "",
        )
        below = f"/bindrt/{window.topic.strip('/')}"
        self._write(f"{below}/vector", vector, window.end, window.recorded)
        if self._scores is not None:
            found = self._scores(**common, **{self._fields[name]: score for name, score in scores.items()})
            self._write(f"{below}/scores", found, window.end, window.recorded)

    def add_event(self, event: Event, topic: str, recorded: int) -> None:
        """Writes an event of a topic's monitor, at the time when it was known to be over."""
        message = self._event(
            name=event.name, topic=topic, start=event.start, end=event.end, peak=event.peak, score=event.score
        )
        self._write(EVENTS, message, event.end, recorded)

    def add_metadata(self, values: Mapping[str, str]) -> None:
        """Writes what the file was made of."""
        self._writer.add_metadata("bindrt", dict(values))

    def _write(self, topic: str, message: Any, seconds: float, recorded: int) -> None:
        whole = int(seconds // 1)
        message.timestamp.seconds, message.timestamp.nanos = whole, int((seconds - whole) * 1e9)
        self._writer.write_message(topic, message, recorded, recorded)

    def __enter__(self) -> VectorWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Completes the file, also when the work was interrupted: what is there is whole."""
        try:
            self._writer.finish()
            self._file.close()
            os.replace(self._part, self._path)
        except OSError as failed:
            self._part.unlink(missing_ok=True)
            if error is None:
                raise cannot_write(self._path, failed) from failed
