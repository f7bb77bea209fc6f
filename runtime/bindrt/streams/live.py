"""A live stream: what a sensor gives goes in, vectors of its windows come out."""

from __future__ import annotations

import logging
import sys
import threading
import time as clock
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from bindrt.errors import ClosedError, Error, OptionError, Overloaded
from bindrt.option_checks import require_whole
from bindrt.streams.arrivals import Arrival, LiveWindow, Piece, Vector
from bindrt.streams.channel import Channel
from bindrt.streams.feeds import Feed
from bindrt.streams.hands import Hands, Turn
from bindrt.streams.numbers import Numbers
from bindrt.streams.pieces import Pieces
from bindrt.streams.policies import Policy, PolicyName, policy_of
from bindrt.streams.staleness import ClockDrift, Staleness

LOG = logging.getLogger(__name__)

_AT_ONCE = 16  # pieces of one stream that are prepared before the other streams have a turn
_UNREAD = 1024  # results of policy "all" that nobody has read, before nothing more is taken
_PATIENCE = 0.1  # seconds between looks at signals, while closing
_UNUSUAL, _TAKEN, _DUE = range(3)  # what an inbox answers

#: Hands a prepared window to the model, and says later what became of it. None: its queue is full.
Submit = Callable[[Any], "Future[Vector] | None"]
OnResult = Callable[[LiveWindow], object]


@dataclass(frozen=True)
class LiveOptions:
    """How a stream treats its windows; see :meth:`bindrt.Model.live`."""

    policy: PolicyName = "latest"
    queue: int = 8
    on_result: OnResult | None = None

    def __post_init__(self) -> None:
        require_whole("queue", self.queue, "windows", 1, 100_000)
        policy_of(self.policy, self.queue)
        if self.on_result is not None and not callable(self.on_result):
            raise OptionError(f"on_result={self.on_result!r}"[:80], "not a function", "give one, or None")


@dataclass(frozen=True)
class Backend:
    """What a stream uses of its model.

    Attributes:
        name: what errors call the stream.
        dim: length of a vector.
        submit: see :data:`Submit`.
        call_on_progress: calls once when the model's queue may have room again.
        require: raises where the model may not be used.
        hands: the threads.
    """

    name: str
    dim: int
    submit: Submit
    call_on_progress: Callable[[Callable[[], None]], None]
    require: Callable[[], None]
    hands: Hands


class LiveStream:
    """A stream of one sensor; :meth:`bindrt.Model.live` makes it. Several threads may push.

    Results come from iterating over it, with ``for`` or ``async for``, or go to the callback. At the end of a
    ``with`` block it is closed: what was pushed is finished first, unless an error ends the block.
    """

    def __init__(self, feed: Feed, pieces: Pieces, backend: Backend, options: LiveOptions) -> None:
        self._feed, self._pieces, self._backend, self._options = feed, pieces, backend, options
        self._policy: Policy = policy_of(options.policy, options.queue)
        self._takes_all = options.policy == "all"
        # With "all" nothing is pushed out: what would be too much is not taken.
        most = sys.maxsize if self._takes_all else options.queue
        self._results: Channel[LiveWindow] = Channel(most)
        self._listener: OnResult | None = options.on_result
        self._tell_end: Callable[[], None] = lambda: None
        self._turn = Turn(self)
        self._lock = threading.Lock()  # of those who push, and who close
        self._inbox = pieces.inbox
        self._in_model: deque[tuple[Arrival, float, Future[Vector]]] = deque()
        self._numbers = Numbers()
        self._staleness, self._drift = Staleness(), ClockDrift()
        self._closing = self._draining = False
        self._time = 0.0  # the end of the newest window
        self._fed = False  # the feed's end has been told
        self._ended = threading.Event()
        self._closed_by = ""
        backend.hands.serve(self)

    def push(self, data: Any, time: Any = None) -> None:
        """Hand over what the sensor gave. It is copied, and prepared by another thread: this never waits.

        Args:
            data: a block of samples, or a frame.
            time: seconds on the sensor's clock: of the first sample, or of the frame. None: it follows what
                came before; at the beginning 0.

        Raises:
            InputError: another kind, shape or dtype than the stream's. Nothing of it is taken.
            Overloaded: with ``policy="all"``, if ``queue`` windows wait for the model, or 1024 results for a
                reader. Nothing of it is taken.
            ClosedError: the stream or the model is closed.
        """
        answer = _UNUSUAL if self._takes_all else self._inbox.push(data, time)
        if answer == _UNUSUAL:  # so it is where the model is closed, or of another process, or at its end
            self._backend.require()
            self._backend.hands.require_running()
            with self._lock:
                answer = self._push(data, time)
        if answer == _DUE:
            self._backend.hands.call(self._turn)

    def __iter__(self) -> Iterator[LiveWindow]:
        """The results as they come, until the stream is closed."""
        while (window := self._results.get()) is not None:
            yield window

    async def __aiter__(self) -> AsyncIterator[LiveWindow]:
        """As :meth:`__iter__`, for asyncio."""
        while (window := await self._results.aget()) is not None:
            yield window

    def listen(self, listener: OnResult, ended: Callable[[], None]) -> None:
        """Give the results to a function from now on, on a thread of the stream; and say when it ended."""
        self._listener, self._tell_end = listener, ended

    def stats(self) -> dict[str, Any]:
        """What became of everything so far.

        ``pushed`` pieces; windows that were ``delivered``, with those that ``failed``; ``dropped`` by the
        policy; ``unread``: pushed out by newer results; ``pieces_dropped``. Now: ``unprepared`` pieces,
        windows ``waiting`` for the model and ``in_model``. ``staleness`` in seconds. ``clock_drift``: seconds
        that the sensor's clock has gained. Windows and clock trouble as the feed counts them: ``windows``,
        ``windows_lost``, ``gaps``, ``gap_seconds``, ``duplicates``, ``reordered``, ``late``, ``jumps_back``,
        ``restarts``, ``jitter``, ``not_finite``; ``last_error``: why the last one was lost.
        """
        numbers = self._numbers.snapshot()
        numbers["dropped" if self._pieces.are_windows else "pieces_dropped"] += self._inbox.dropped
        return {
            "pushed": self._inbox.pushed,
            **numbers,
            "waiting": len(self._policy),
            "in_model": len(self._in_model),
            "unprepared": len(self._inbox),
            "staleness": self._staleness.stats(),
            "clock_drift": round(self._drift.seconds, 6),
            **self._feed.counts,
            "last_error": self._feed.last_error,
        }

    @property
    def dropped(self) -> int:
        """Windows so far that have no vector, or that nobody read."""
        lost = int(self._feed.counts["windows_lost"])
        pushed_out = self._inbox.dropped if self._pieces.are_windows else 0
        return lost + pushed_out + self._numbers.get("dropped") + self._numbers.get("unread")

    def close(self, drain: bool = False) -> None:
        """End the stream. Results that are there can still be read.

        Args:
            drain: first finish what was pushed. Otherwise what the model does not have is dropped.
        """
        if not self._backend.hands.can_work():  # they are the parent's, or the process ends
            self._end()
            return
        with self._lock:
            self._draining = drain if not self._closing else self._draining and drain
            self._closing = True
            self._inbox.close()
        self._backend.hands.call(self._turn)
        while not self._backend.hands.are_here() and not self._ended.wait(_PATIENCE):
            pass

    def refuse(self) -> None:
        """Take nothing any more; called at the end of the process, when nobody prepares it."""
        self._inbox.close()

    @property
    def closed(self) -> bool:
        """Whether nothing more comes."""
        return self._ended.is_set()

    def __enter__(self) -> LiveStream:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(drain=kind is None)

    def _push(self, data: Any, time: Any) -> int:
        """What the inbox does not take unasked."""
        if self._closing:
            raise ClosedError(self._backend.name, self._closed_by or "the stream is closed", "open another")
        if self._takes_all:
            self._require_room()
            if answer := self._inbox.push(data, time):
                return answer
        piece = self._pieces.piece(data, time, clock.monotonic())
        if self._takes_all and not self._inbox.has_room(piece.bytes):
            self._overloaded(len(self._inbox), "pieces")
        self._inbox.put(piece, piece.bytes, piece.seconds)
        return _DUE if self._pieces.is_due(piece) else _TAKEN

    def _require_room(self) -> None:
        """Raises Overloaded where a further piece would make too many windows wait."""
        if len(self._results) >= max(self._options.queue, _UNREAD):
            raise Overloaded(self._backend.name, f"nobody reads {len(self._results)} results", "read them")
        waiting = len(self._policy) + len(self._in_model)
        if self._pieces.are_windows:
            waiting += len(self._inbox)
        else:  # at least so many are complete with the pieces that wait
            waiting += max(int((self._inbox.seconds - self._pieces.window) / self._pieces.hop + 1e-6), 0)
        if waiting >= self._options.queue:
            self._overloaded(waiting, "windows")

    def _overloaded(self, count: int, what: str) -> NoReturn:
        problem = f"{count} {what} wait already"
        raise Overloaded(self._backend.name, problem, "push it later, or choose another policy")

    # What follows runs on a thread of `Hands`, one at a time.

    def work(self) -> bool:
        """A share of what is to do; whether there is more."""
        if self._ended.is_set():
            return False
        self._deliver()
        for _ in range(_AT_ONCE):
            if self._closing and not self._draining:
                break
            self._submit()
            piece = self._next_piece()
            if piece is None:
                break
            self._prepare(piece)
        if self._closing:
            return self._finish()
        self._submit()
        return len(self._inbox) > 0 and self._may_prepare()

    def _next_piece(self) -> Piece | None:
        return self._pieces.take() if self._may_prepare() else None

    def _may_prepare(self) -> bool:
        """A frame that is a window by itself stays unprepared until the model can take it."""
        if not self._pieces.are_windows or self._options.policy == "even":
            return True
        return len(self._policy) + len(self._in_model) < self._policy.in_model

    def _prepare(self, piece: Piece) -> None:
        for part in piece.parts or (piece,):
            if part.newest is not None:
                self._drift.add(part.newest, part.arrived)
        try:
            ready = self._pieces.fed(piece)
        except Error as error:
            at = self._time if piece.newest is None else float(piece.newest)
            self._give(self._failed(Arrival(None, piece.arrived, error, at)))
            return
        for window in ready:
            self._offer(Arrival(window, piece.arrived))

    def _offer(self, arrival: Arrival) -> None:
        if arrival.window is not None:
            self._time = arrival.window.end
        self._numbers.add("dropped", self._policy.offer(arrival, clock.monotonic()))

    def _submit(self) -> None:
        while len(self._policy) and len(self._in_model) < self._policy.in_model:
            arrival = self._policy.take()
            assert arrival is not None
            assert arrival.window is not None
            try:
                future = self._backend.submit(arrival.window.item)
            except Error as error:
                self._give(self._failed(arrival._replace(error=error)))
                self._end_if_closed(error)
                continue
            if future is None:  # the model's own queue is full
                self._policy.put_back(arrival)
                self._backend.call_on_progress(self._call)
                return
            self._in_model.append((arrival, clock.monotonic(), future))
            future.add_done_callback(lambda _: self._call())

    def _call(self) -> None:
        self._backend.hands.call(self._turn)

    def _deliver(self) -> None:
        """Results in the order of the windows."""
        while self._in_model and self._in_model[0][2].done():
            arrival, began, future = self._in_model.popleft()
            now = clock.monotonic()
            if future.cancelled():
                self._numbers.add("dropped")
                continue
            self._policy.computed(now - began)
            error = future.exception()
            if error is None:
                self._give(self._done(arrival, future.result(), now))
            else:
                known = error if isinstance(error, Error) else Error(self._backend.name, str(error))
                self._give(self._failed(arrival._replace(error=known)))
                self._end_if_closed(known)

    def _done(self, arrival: Arrival, vector: Vector, now: float) -> LiveWindow:
        window = arrival.window
        assert window is not None
        self._staleness.add(now - arrival.arrived)
        return LiveWindow(vector, window.start, window.end, arrival.arrived, now, self.dropped, window.notes)

    def _failed(self, arrival: Arrival) -> LiveWindow:
        self._numbers.add("failed")
        window, vector = arrival.window, np.full(self._backend.dim, np.nan, np.float32)
        start, end, notes = (
            (arrival.time, arrival.time, {}) if window is None else (window.start, window.end, window.notes)
        )
        now = clock.monotonic()
        return LiveWindow(vector, start, end, arrival.arrived, now, self.dropped, notes, arrival.error)

    def _give(self, result: LiveWindow) -> None:
        self._numbers.add("delivered")
        if self._listener is None:
            self._numbers.add("unread", self._results.put(result))
            return
        try:
            self._listener(result)
        except Exception:
            LOG.exception("%s: on_result raised", self._backend.name)

    def _end_if_closed(self, error: Error) -> None:
        """A model that is closed ends its streams."""
        if isinstance(error, ClosedError):
            with self._lock:
                self._closing, self._draining, self._closed_by = True, False, error.problem
                self._inbox.close()

    def _finish(self) -> bool:
        """On the way to the end; whether there is more to do now."""
        if self._draining:
            if len(self._inbox):
                return self._may_prepare()
            if not self._fed:
                self._fed = True
                arrived = clock.monotonic()
                for window in self._feed.end():
                    self._offer(Arrival(window, arrived))
            self._submit()
            if len(self._policy) or self._in_model:
                return False  # the model's results call again
        else:
            while self._inbox.take() is not None:
                self._numbers.add("pieces_dropped")
            while (self._policy.take()) is not None:
                self._numbers.add("dropped")
            for _, _, future in self._in_model:
                future.cancel()
            self._deliver()
            if self._in_model:
                return False
        self._end()
        return False

    def _end(self) -> None:
        self._results.end()
        self._ended.set()
        self._tell_end()
