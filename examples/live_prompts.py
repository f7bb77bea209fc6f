"""What camera.py and microphone.py share: a model, prompts, and printing what is found."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bindrt
from bindrt.commands.prompt_files import Prompts, read_prompts
from bindrt.watching import Page
from bindrt.watching.address import parse_address

_PATIENCE = 0.005  # seconds before what was refused is pushed again


def parser(text: str, source: str, default: str) -> argparse.ArgumentParser:
    """The options of both."""
    made = argparse.ArgumentParser(description=text)
    made.add_argument("source", nargs="?", default=default, help=source)
    made.add_argument(
        "--bundle", default="tiny", metavar="NAME.bind", help="default: tiny, which comes along"
    )
    made.add_argument(
        "--prompt", action="append", default=[], metavar="TEXT", help="find events of that text"
    )
    made.add_argument("--against", action="append", default=[], metavar="TEXT", help="what is no event")
    made.add_argument("--prompts", type=Path, metavar="FILE", help="a file of prompts, as of bind-stream")
    made.add_argument("--hop", type=float, default=0.5, metavar="S", help="seconds from a window to the next")
    made.add_argument("--seconds", type=float, metavar="S", help="end after that time; default: at Ctrl-C")
    made.add_argument("--fast", action="store_true", help="a file as fast as possible, with every window")
    made.add_argument(
        "--serve", nargs="?", const="", metavar="HOST:PORT",
        help="show it in a browser; default: a free port of 127.0.0.1",
    )  # fmt: skip
    return made


@contextmanager
def page_of(args: argparse.Namespace) -> Iterator[Page | None]:
    """The page that --serve asks for.

    Raises:
        bindrt.OptionError: its address is taken, or is none.
    """
    if args.serve is None:
        yield None
        return
    with Page(Path(args.source).name, *parse_address(args.serve)) as page:
        print(f"watch at {page.url}", flush=True)
        yield page


def prompts_of(args: argparse.Namespace) -> Prompts:
    """The prompts that the options name.

    Raises:
        bindrt.OptionError: they name none.
    """
    if args.prompts is not None:
        return read_prompts(args.prompts)
    if not args.prompt:
        raise bindrt.OptionError("--prompt", "there is nothing to look for", "--prompt 'a bell ringing'")
    return Prompts({text: [text] for text in args.prompt}, args.against)


class Printer:
    """Prints a line for each window, and one for each event that begins or ends; the page shows them too."""

    def __init__(self, model: bindrt.Model, prompts: Prompts, name: str, page: Page | None) -> None:
        self._name, self._page = name, page
        self._monitor = bindrt.Monitor(
            model,
            prompts.named,
            against=prompts.against,
            on_begin=lambda event: print(f"{event.start:8.2f} s  {event.name} begins"),
            **prompts.options,
        )

    def show(self, item: Any) -> None:
        """What the sensor gave just now."""
        if self._page is not None:
            self._page.show(self._name, item)

    def take(self, window: Any) -> None:
        """A result of a live stream; it is called on a thread of the stream."""
        if window.error is not None:
            print(f"{window.end:8.2f} s  {window.error}")
            return
        found = self._monitor.scores(window.vector)
        scores = sorted(found.items(), key=lambda one: -one[1])
        told = ", ".join(f"{name} {score:+.2f}" for name, score in scores[:3])
        print(f"{window.end:8.2f} s  {told}", flush=True)
        ended = self._monitor.push(window)
        if self._page is not None:
            self._page.add(self._name, window, found, self._monitor.active)
        self._tell(ended)

    def finish(self, stats: dict[str, Any]) -> None:
        """The events that went on, and what became of all windows."""
        self._tell(self._monitor.finish())
        late = stats["staleness"].get("p99", 0.0)
        lost = stats["dropped"] + stats["windows_lost"] + stats["failed"]
        print(f"{stats['delivered']} windows, {lost} without a vector; 99 % within {1000 * late:.0f} ms")

    def _tell(self, events: list[bindrt.Event]) -> None:
        for event in events:
            print(f"{event.start:8.2f} s  {event.name} until {event.end:.2f} s, {event.score:+.2f}")
            if self._page is not None:
                self._page.add_event(self._name, event)


class Pace:
    """Pushes a source at its own speed, as a sensor would; or as fast as the model takes it.

    Args:
        seconds: the source ends after that time of its own; None: where it ends.
        waits: whether a piece is held back until its time has come, as for a file.
    """

    def __init__(self, fast: bool, waits: bool, seconds: float | None) -> None:
        self._fast, self._waits, self._seconds = fast, waits, seconds
        self._begun: float | None = None
        self._first = 0.0

    @property
    def policy(self) -> Any:
        """That of the stream: every window of a file that may take its time, else the newest."""
        return "all" if self._fast else "latest"

    def push(self, push: Callable[[], object], at: float) -> bool:
        """Pushes a piece that is of ``at`` in the source's time; whether the source goes on."""
        if self._begun is None:
            self._begun, self._first = time.monotonic(), at
        if self._seconds is not None and at - self._first >= self._seconds:
            return False
        if self._waits and not self._fast:
            time.sleep(max(0.0, at - self._first - (time.monotonic() - self._begun)))
        while True:
            try:
                push()
                return True
            except bindrt.Overloaded:
                time.sleep(_PATIENCE)
