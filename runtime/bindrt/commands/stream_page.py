"""``--serve``: a page to watch while a recording plays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from rich.console import Console

from bindrt.commands.terminal import Add, Arguments
from bindrt.errors import Error, OptionError
from bindrt.limits import Limits
from bindrt.modalities.imu import Imu
from bindrt.monitoring import Event, Monitor
from bindrt.recordings import Sample
from bindrt.watching import Page
from bindrt.watching.address import Address, parse_address

SECTION = "a page to watch"
_PICTURES = ("image", "video", "depth", "thermal")


def add_page_options(add: Add) -> None:
    add("--serve", nargs="?", const="", metavar="HOST:PORT",
        help="show it in a browser while it plays; default: a free port of 127.0.0.1")  # fmt: skip
    add("--serve-name", action="append", default=[], metavar="NAME",
        help="a further name under which browsers may ask for the page")  # fmt: skip


def page_address(args: Arguments) -> Address | None:
    """Where ``--serve`` asks for a page; None if it does not.

    Raises:
        OptionError: it is no address, or there is a name for a page that is not there.
    """
    if args.serve is None and args.serve_name:
        raise OptionError("--serve-name", "there is no page", "add --serve")
    return None if args.serve is None else parse_address(args.serve)


@contextmanager
def served(address: Address | None, args: Arguments, limits: Limits, console: Console) -> Iterator[Shown]:
    """A page at an address; without one something that shows nothing.

    Raises:
        OptionError: the address is taken.
    """
    if address is None:
        yield Shown(None)
        return
    title = f"{args.recording.name} · bind-stream"
    with Page(title, *address, names=args.serve_name, limits=limits) as page:
        if not address.is_loopback:
            _say(console, "the page has no password: all who reach this machine can watch")
        _say(console, f"watch at {page.url}")
        yield Shown(page)


class Shown:
    """What a recording gives, on a page if there is one."""

    def __init__(self, page: Page | None) -> None:
        self._page = page

    def __bool__(self) -> bool:
        return self._page is not None

    def sample(self, sample: Sample) -> None:
        """What a sensor gave."""
        if self._page is None:
            return
        with suppress(Error):  # the window that it is part of says what is wrong with it
            self._page.show(sample.topic, _item(sample))

    def window(self, window: Any, scores: dict[str, float], monitor: Monitor | None) -> None:
        if self._page is not None:
            self._page.add(window.topic, window, scores, [] if monitor is None else monitor.active)

    def event(self, topic: str, event: Event) -> None:
        if self._page is not None:
            self._page.add_event(topic, event)

    def stay(self, notes: list[str], console: Console) -> None:
        """Says that the recording has ended, and stays until the user ends it."""
        if self._page is None:
            return
        self._page.end(notes)
        with suppress(KeyboardInterrupt):
            _say(console, f"the recording has ended; the page stays at {self._page.url} until Ctrl-C")
            threading.Event().wait()


def _item(sample: Sample) -> Any:
    """What of a sample can be shown; pictures are decoded only if somebody looks at them."""
    if sample.modality in _PICTURES:
        return lambda: sample.data
    if sample.modality != "imu":
        return sample.data
    missing = np.full(3, np.nan)
    sensors = (missing if one is None else one for one in (sample.data.acc, sample.data.gyro))
    return Imu(np.concatenate([*sensors])[:, None], timestamps=np.array([sample.time]))


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True, emoji=False)
