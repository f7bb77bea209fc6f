"""``Page``: what a program with streams feeds, and people watch in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Union

from bindrt.errors import ClosedError, InputError, OptionError
from bindrt.limits import DEFAULT_LIMITS, Limits, require_limits
from bindrt.modalities.audio import Audio
from bindrt.modalities.depth import Depth
from bindrt.modalities.image import Image
from bindrt.modalities.imu import Imu
from bindrt.modalities.thermal import Thermal
from bindrt.monitoring import Event, Monitor, Window
from bindrt.numeric import is_number
from bindrt.option_checks import require_whole
from bindrt.watching.address import Address, known_names
from bindrt.watching.board import Board
from bindrt.watching.request import Request
from bindrt.watching.server import PageServer

Picture = Union[Image, Depth, Thermal]


class Page:
    """A page in the browser that shows streams while they run: scores, the current frame, events.

    Whoever feeds it never waits for those who watch. It keeps the last minute of scores and the last 1000
    events of at most 64 streams. It is closed at the end of a ``with`` block.

    >>> from types import SimpleNamespace as Window
    >>> monitor = bindrt.Monitor(model, {"bell": "a bell ringing"}, against=["a car driving"])
    >>> bell = model.embed(audio="bell.wav").audio[0]
    >>> windows = [Window(vector=bell, start=t, end=t + 2) for t in range(3)]
    >>> with Page("workshop") as page:
    ...     print(page.url)
    ...     page.show("mic", Audio(np.zeros(4800), rate=48000))
    ...     [event.name for event in page.watch("mic", windows, monitor)]
    http://127.0.0.1:...
    ['bell']

    A program with a loop of its own:

    >>> page = Page()
    >>> for window in windows:
    ...     events = monitor.push(window)
    ...     page.add("mic", window, monitor.scores(window.vector), monitor.active)
    >>> for event in monitor.finish():
    ...     page.add_event("mic", event)
    >>> page.end("the microphone was unplugged")
    >>> page.close()
    """

    def __init__(
        self,
        title: str = "bindrt",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        names: Iterable[str] = (),
        viewers: int = 16,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """
        Args:
            title: stands above the page.
            host: an address or a name of this machine. The page has no password: with ``0.0.0.0`` everybody
                who reaches this machine can watch.
            port: 0: any that is free.
            names: further names under which browsers may ask for the page. Others are refused, unless they
                are the host itself, an address in numbers or, if others than this machine can watch, this
                machine's name.
            viewers: how many may watch at once.
            limits: bounds on what an item that is shown may decode to.

        Raises:
            OptionError: the port is taken, or an argument has a value that it cannot have.
        """
        names = _checked_names(host, names)
        require_whole("port", port, "a port", 0, 65535)
        require_whole("viewers", viewers, "viewers", 1, 1000)
        require_limits(limits)
        self._board = Board(str(title), limits)
        address = Address(host, port)
        self._server = PageServer(address, known_names(address, names), self._board, viewers, Request)
        self._url = Address(host, self._server.port).url

    @property
    def url(self) -> str:
        """Where it is: ``http://127.0.0.1:43127/``."""
        return self._url

    def show(self, stream: str, item: Picture | Audio | Imu | Callable[[], Picture]) -> None:
        """Shows what a sensor gave just now; call it wherever you push it to a stream.

        Args:
            stream: a name of the stream.
            item: ``bindrt.Image``, ``Depth`` or ``Thermal``: at most ten a second are shown, and only those
                that somebody looks at are decoded; or a function that makes one then. ``bindrt.Audio`` of a
                block ``[n]`` or ``[channels, n]`` and its rate: each block, for a spectrogram. ``bindrt.Imu``
                of samples ``[6, n]`` and their rate or times: all of them, for curves.

        Raises:
            InputError: it is none of these.
            ClosedError: the page is closed.
        """
        self._require_open(stream)
        self._board.show(stream, item)

    def add(
        self,
        stream: str,
        window: Window,
        scores: Mapping[str, float] | None = None,
        active: Iterable[Event | str] = (),
    ) -> None:
        """Shows a window's scores.

        Args:
            stream: a name of the stream.
            window: a result of ``model.live``, or anything with ``start`` and ``end``. What it knows besides
                (``arrived`` and ``done``, ``dropped``, ``error``) is shown as well.
            scores: as :meth:`bindrt.Monitor.scores` gives them; the first hundred names are shown.
            active: the events that go on, as ``monitor.active`` gives them, or their names.

        Raises:
            InputError: the window has no times, or a score is no number.
            ClosedError: the page is closed.
        """
        self._require_open(stream)
        if not is_number(getattr(window, "end", None)):
            raise InputError("window", f"{type(window).__name__} has no times", "it has start and end")
        for name, score in (scores or {}).items():
            if not isinstance(name, str) or not is_number(score):
                raise InputError("scores", f"{name!r}: {score!r}"[:80], "give a number for each name")
        names = {event.name if isinstance(event, Event) else event for event in active}
        self._board.add(stream, window, scores or {}, names)

    def add_event(self, stream: str, event: Event) -> None:
        """Adds an event to the list.

        Raises:
            InputError: it is no event of a monitor.
            ClosedError: the page is closed.
        """
        self._require_open(stream)
        if not isinstance(event, Event):
            raise InputError("event", f"{type(event).__name__} is no event", "a Monitor gives events")
        self._board.add_event(stream, event)

    def watch(self, stream: str, windows: Iterable[Window], monitor: Monitor) -> Iterator[Event]:
        """As :meth:`bindrt.Monitor.watch`, and shows all of it: windows, scores, events.

        Args:
            stream: a name of the stream.
            windows: a live stream, or any windows in order.
            monitor: what it is compared with.

        Raises:
            ClosedError: the page is closed.
        """
        for window in windows:
            if getattr(window, "error", None) is not None:
                self.add(stream, window)
                continue
            ended = monitor.push(window)
            self.add(stream, window, monitor.scores(window.vector), monitor.active)
            yield from self._told(stream, ended)
        ended = monitor.finish()
        self._board.rest(stream)
        yield from self._told(stream, ended)

    def end(self, notes: str | Iterable[str] = ()) -> None:
        """Says that nothing more comes, and what else people should know. The page stays there."""
        self._require_open()
        self._board.note([notes] if isinstance(notes, str) else notes)
        self._board.end()

    def close(self) -> None:
        """Ends the server. The page stays in the browsers that have it, and says that it has ended."""
        if not self._server.over.is_set():
            self._board.end()
            self._server.close()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _told(self, stream: str, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            self.add_event(stream, event)
            yield event

    def _require_open(self, stream: object = "") -> None:
        if self._server.over.is_set():
            raise ClosedError("page", "it is closed", "open another")
        if not isinstance(stream, str):
            raise InputError(f"stream={stream!r}"[:80], "not a name", "give a text")


def _checked_names(host: object, names: Iterable[str]) -> list[str]:
    if not isinstance(host, str) or not host:
        raise OptionError(f"host={host!r}"[:80], "not an address", "give one as text, such as 127.0.0.1")
    found = [] if isinstance(names, str) else list(names)
    if isinstance(names, str) or not all(isinstance(name, str) for name in found):
        raise OptionError(f"names={names!r}"[:80], "not a list of names", 'for example ["robot.example"]')
    return found
