"""``bindrt.Monitor``: events in a stream, by named prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from bindrt.errors import InputError, OptionError
from bindrt.monitoring.event import Event, Window
from bindrt.monitoring.prompts import checked_vector, named_prompts, prompt_vectors
from bindrt.monitoring.scoring import Score, Scorer
from bindrt.monitoring.track import Rule, Span, Track
from bindrt.numeric import is_number

if TYPE_CHECKING:
    from bindrt.model import Model


class Monitor:
    """Compares the windows of one stream with named prompts, and tells events.

    An event of a name begins with a window whose score reaches ``on``, and ends before the first one whose
    score is below ``off``. A window stands for the time around its middle, up to half way to the middles of
    its neighbours, so windows that overlap do not make an event longer.

    >>> from types import SimpleNamespace as Window
    >>> bell, car = model.embed(audio=["bell.wav", "car.wav"]).audio
    >>> monitor = bindrt.Monitor(model, {"bell": "a bell ringing"}, against=["a car driving"])
    >>> windows = [Window(vector=bell if 3 <= t < 6 else car, start=t, end=t + 1) for t in range(10)]
    >>> [(event.name, event.start, event.end) for event in monitor.watch(windows)]
    [('bell', 3.0, 6.0)]

    Window by window, in a program's own loop:

    >>> monitor.names
    ('bell',)
    >>> [monitor.push(window) for window in windows[:5]]
    [[], [], [], [], []]
    >>> monitor.active[0].start
    3.0
    >>> [event.end for event in monitor.finish()]
    [5.0]
    """

    def __init__(
        self,
        model: Model,
        prompts: Mapping[str, Any],
        *,
        against: Sequence[Any] = (),
        on: float = 0.3,
        off: float = 0.2,
        hold: float = 0.5,
        cooldown: float = 2.0,
        score: Score = "margin",
        gap: float = 1.0,
        on_begin: Callable[[Event], object] | None = None,
    ) -> None:
        """
        Args:
            model: embeds the prompts, once. Windows must be of its space.
            prompts: one prompt or a list of them for each name: texts, ``pathlib.Path`` of files, items such
                as ``bindrt.Audio(…)``, Pillow images, or vectors ``[D]``. A ``str`` is a text, never a path.
            against: negatives of all names: prompts of what is no event.
            on: the score with which an event begins.
            off: the score below which it ends; at most ``on``.
            hold: seconds that an event must last; a shorter one is not told.
            cooldown: seconds after an event in which no other of its name begins.
            score: ``"margin"``: the cosine with the name's nearest prompt, less that with the nearest
                negative: names do not compete. ``"probability"``: the softmax over all names and negatives of
                the text scale × cosine, as in :meth:`Model.classify`: names compete.
            gap: seconds without a window that an event may span; it ends before a longer pause.
            on_begin: called with an event as soon as it has lasted ``hold``, in the thread that pushes.

        Raises:
            OptionError: an argument has a value that it cannot have.
            Error: a prompt cannot be embedded.
        """
        rule = _rule(on, off, hold, cooldown)
        if on_begin is not None and not callable(on_begin):
            raise OptionError(
                f"on_begin={on_begin!r}"[:80], "it cannot be called", "give a function, or None"
            )
        names = named_prompts(model, prompts)
        negatives = prompt_vectors(model, against, "against")
        self._scorer = Scorer(score, names, negatives, model.bundle.manifest.text_scale)
        self._tracks = {name: Track(name, rule) for name in names}
        self._embed_dim = model.embed_dim
        self._gap = _seconds("gap", gap)
        self._on_begin = on_begin
        self._last: tuple[float, float] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the prompts."""
        return tuple(self._tracks)

    @property
    def active(self) -> list[Event]:
        """The events that go on, as far as they are certain by now."""
        return [track.active for track in self._tracks.values() if track.active is not None]

    def scores(self, vector: Any) -> dict[str, float]:
        """The score of each name for a vector ``[D]``, to find thresholds with.

        Raises:
            InputError: not a vector of the model's space.

        >>> monitor = bindrt.Monitor(model, {"bell": "a bell ringing", "car": "a car driving"})
        >>> scores = monitor.scores(model.embed(audio="bell.wav").audio[0])
        >>> scores["bell"] > scores["car"]
        True
        """
        return self._scorer(checked_vector(vector, self._embed_dim, "vector"))

    def push(self, window: Window) -> list[Event]:
        """Takes the next window, and gives the events that it ends.

        A window that begins before the one before it did is of a clock that began anew: what went on ends.

        Raises:
            InputError: its vector is none of the model's space, or its times are not numbers in order.
        """
        start, end = _times(window)
        scores = self.scores(window.vector)
        ended = self._breaks(start, end)
        middle = (start + end) / 2
        span = Span(start if self._last is None else (_middle(self._last) + middle) / 2, middle)
        begun = []
        for name, track in self._tracks.items():
            over, new = track.push(span, scores[name])
            ended += [over] if over is not None else []
            begun += [new] if new is not None else []
        self._last = (start, end)
        if self._on_begin is not None:
            for event in begun:
                self._on_begin(event)
        return ended

    def copy(self) -> Monitor:
        """A monitor of the same prompts and options for another stream; nothing is embedded again.

        >>> bindrt.Monitor(model, {"bell": "a bell ringing"}).copy().names
        ('bell',)
        """
        made = copy(self)
        made._tracks = {name: track.anew() for name, track in self._tracks.items()}
        made._last = None
        return made

    def finish(self) -> list[Event]:
        """Ends the stream: the events that went on to its last window. Another one may begin then."""
        ended = self._end_all()
        for track in self._tracks.values():
            track.forget()
        return ended

    def watch(self, stream: Iterable[Window]) -> Iterator[Event]:
        """The events of a stream of windows, each as soon as it is over.

        Args:
            stream: windows with ``vector``, ``start`` and ``end``, in order: ``model.live``, ``model.join``,
                or any iterable. Those that failed are passed over.
        """
        for window in stream:
            if getattr(window, "error", None) is None:
                yield from self.push(window)
        yield from self.finish()

    def _breaks(self, start: float, end: float) -> list[Event]:
        """The events that end since this window does not follow on the last one."""
        if self._last is None:
            return []
        if (start + end) / 2 < _middle(self._last):
            return self.finish()
        return self._end_all() if start - self._last[1] > self._gap else []

    def _end_all(self) -> list[Event]:
        if self._last is None:
            return []
        (_, end), self._last = self._last, None
        return [event for track in self._tracks.values() if (event := track.close(end)) is not None]


def _middle(window: tuple[float, float]) -> float:
    return (window[0] + window[1]) / 2


def _times(window: Window) -> tuple[float, float]:
    try:
        start, end = window.start, window.end
    except AttributeError:
        raise InputError(
            "window", f"{type(window).__name__} has no times", "it has vector, start and end"
        ) from None
    if not is_number(start) or not is_number(end) or end < start:
        raise InputError("window", f"it is from {start!r} to {end!r}"[:120], "give two times in order")
    return float(start), float(end)


def _rule(on: object, off: object, hold: object, cooldown: object) -> Rule:
    rule = Rule(
        _checked("on", on), _checked("off", off), _seconds("hold", hold), _seconds("cooldown", cooldown)
    )
    if rule.off > rule.on:
        raise OptionError(
            f"off={off}", f"it is above on={on}", "an event ends below off, so off is lower, or the same"
        )
    return rule


def _seconds(name: str, value: object) -> float:
    if not is_number(value) or value < 0:
        raise OptionError(f"{name}={value!r}"[:80], "not a time", "give a number of seconds of at least 0")
    return float(value)


def _checked(name: str, value: object) -> float:
    if not is_number(value):
        raise OptionError(f"{name}={value!r}"[:80], "not a score", "give a number")
    return float(value)
