"""The live stream of a topic's samples."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from bindrt.errors import Overloaded
from bindrt.limits import Limits
from bindrt.recordings.embedding.thinning import OneInHop
from bindrt.recordings.live.pieces import LivePiece, live_piece
from bindrt.recordings.sample import Sample
from bindrt.streams.live import LiveStream

_PICTURES = ("image", "depth", "thermal")
_MOST_UNFINISHED = 4  # streams


class TopicStream:
    """Pushes samples to a live stream, which opens with the first. Several threads may push.

    A sound of another rate, a video of another size or a depth map of another camera begins a new stream;
    what the old one was given is finished.

    Args:
        open_stream: opens one, with options of ``Model.live``.
        hop: seconds from a picture that is taken to the next; the others are not decoded.
    """

    def __init__(self, open_stream: Callable[..., LiveStream], hop: float, limits: Limits) -> None:
        self._open, self._limits = open_stream, limits
        self._hops = OneInHop(hop)
        self._lock = threading.Lock()
        self._streams: list[LiveStream] = []  # the newest last
        self._past: dict[str, Any] = {}  # what those that have ended told
        self._key: object = None
        self._refused = 0

    def push(self, sample: Sample) -> None:
        """Hands over a sample; this never waits for the model.

        Raises:
            InputError: its data cannot be used.
        """
        if sample.modality in _PICTURES:
            if not self._hops.is_due(sample.time):
                return
            piece = live_piece(sample, self._limits)
            self._hops.taken(sample.time)
        else:
            piece = live_piece(sample, self._limits)
        try:
            self._stream_of(piece).push(**piece.args)
        except Overloaded:
            self._refused += 1

    def stats(self) -> dict[str, Any]:
        """As :meth:`LiveStream.stats`, of all streams so far: numbers are added up, all else is the newest's.

        Also ``refused``: samples that were not taken, by the policy ``all`` or since too many streams are
        unfinished.
        """
        with self._lock:
            found, streams = dict(self._past), list(self._streams)
        for stream in streams:
            found = _added(found, stream.stats())
        return {**found, "refused": self._refused}

    def close(self, drain: bool) -> None:
        """Ends the streams."""
        for stream in list(self._streams):
            stream.close(drain)

    def _stream_of(self, piece: LivePiece) -> LiveStream:
        key = (dict(piece.options), piece.kind)
        with self._lock:
            if not self._streams or key != self._key:
                self._begin(piece)
                self._key = key
            return self._streams[-1]

    def _begin(self, piece: LivePiece) -> None:
        """Opens a stream. The one before is finished by a thread of its own, since that waits for the model.

        Raises:
            Overloaded: too many are unfinished.
        """
        for ended in [stream for stream in self._streams if stream.closed]:
            self._past = _added(self._past, ended.stats())
            self._streams.remove(ended)
        if len(self._streams) >= _MOST_UNFINISHED:
            raise Overloaded("live topic", "its rate or size changes all the time", "keep it")
        opened = self._open(**piece.options)
        for last in self._streams[-1:]:
            threading.Thread(target=last.close, args=(True,), daemon=True).start()
        self._streams.append(opened)


def _added(found: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """What another stream tells, with the numbers of those before."""
    sums = {
        name: found.get(name, 0) + value for name, value in told.items() if isinstance(value, (int, float))
    }
    return {**found, **told, **sums}
