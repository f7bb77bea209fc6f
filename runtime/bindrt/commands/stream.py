"""``bind-stream``: embeds a recording of sensors, and writes or shows vectors, scores and events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console

from bindrt.commands.limit_options import SECTION as LIMIT_SECTION
from bindrt.commands.limit_options import add_limit_options, given_limits
from bindrt.commands.prompt_files import Prompts, read_prompts
from bindrt.commands.stream_page import SECTION as PAGE_SECTION
from bindrt.commands.stream_page import Shown, add_page_options, page_address, served
from bindrt.commands.stream_topics import parse_topics
from bindrt.commands.terminal import DONE, PASSED_OVER, Arguments, Command, CommandParser
from bindrt.errors import OptionError
from bindrt.loading import load
from bindrt.locks import only_writer
from bindrt.monitoring import Event, Monitor
from bindrt.precisions import PRECISION_HELP
from bindrt.recordings import Recording
from bindrt.recordings.embedding import WindowOptions, embed_recording
from bindrt.recordings.embedding.writing import VectorWriter


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "RECORDING --bundle NAME.bind [-o OUT.mcap] [--serve] [options]",
        "Embed a recording of a robot: MCAP, or a ROS 1 or ROS 2 bag. Topics are found by their types. "
        "OUT.mcap has a vector a window, with --prompts also scores and events. A page may show them.",
        """
        run.mcap --bundle imagebind.bind -o vectors.mcap --prompts sounds.txt
        run.mcap --bundle imagebind.bind --serve --prompts sounds.txt
        run.bag --bundle imagebind.bind -o vectors.mcap --topic /thermal=thermal,low=20,high=40 --hop 0.5
        """,
    )
    p.add("recording", metavar="RECORDING", type=Path, help=".mcap, .bag, .db3, or the folder of a ROS 2 bag")
    p.add("--bundle", required=True, metavar="NAME.bind", help="the bundle that bind-export wrote")
    p.add(
        "-o",
        "--output",
        type=Path,
        metavar="OUT.mcap",
        help="the file to write; with --serve it may be left out",
    )
    reading = p.section("what is embedded")
    reading("--topic", action="append", default=[], metavar="T[=M[,NAME=VALUE...]]",
            help="only these topics; as modality M, with options such as unit=mm; default: all")  # fmt: skip
    reading("--window", type=float, metavar="S", help="seconds; default: 2 for audio and video, 5 for imu")
    reading("--hop", type=float, metavar="S", help="seconds from a window to the next; default: 1")
    reading(
        "--realtime", action="store_true", help="as fast as it was recorded; default: as fast as possible"
    )
    reading("--prompts", type=Path, metavar="FILE",
            help="find events: a text a line, name: text, or JSON as docs/recordings.md says")  # fmt: skip
    add_page_options(p.section(PAGE_SECTION))
    add_limit_options(p.section(LIMIT_SECTION))
    p.add_json("print the summary as JSON")
    engine = p.section("engine")
    engine("--engine", default="auto", metavar="NAME", help="default: auto, the fastest here")
    engine("--precision", metavar="P", help=PRECISION_HELP)
    engine("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:N")
    engine("--threads", type=int, metavar="N", help="threads of the engine")
    return p


def run(args: Arguments, console: Console) -> int:
    """Embeds the recording, writes what was found, and shows it; the exit code."""
    _check_output(args)
    address = page_address(args)
    choices = parse_topics(args.topic)
    options = WindowOptions(args.window, args.hop)
    prompts = None if args.prompts is None else read_prompts(args.prompts)
    limits = given_limits(args)
    with ExitStack() as to_the_end:
        with (
            _only_writer(args.output),
            Recording(args.recording, limits) as recording,
            load(
                args.bundle, args.engine, args.precision, args.device, threads=args.threads, limits=limits
            ) as model,
        ):
            monitors = _Monitors(model, prompts)
            shown = to_the_end.enter_context(served(address, args, limits, console))
            work = _Work(monitors, shown)
            realtime = args.realtime or bool(shown)
            windows = embed_recording(model, recording, choices, options, realtime, shown.sample)
            with _writer(args.output, model.space, monitors.names) as writer:
                for window in windows:
                    work.take(window, writer)
                work.end(writer)
                summary = work.summary(model.space, recording)
                if writer is not None:
                    writer.add_metadata(
                        {"space": model.space, "bundle": str(args.bundle), "report": json.dumps(summary)}
                    )
        _tell(args, console, work, recording, summary)
        shown.stay(recording.report.lines(), console)
    return DONE if recording.report.is_whole else PASSED_OVER


def _check_output(args: Arguments) -> None:
    out = args.output
    if out is None and args.serve is None:
        raise OptionError("", "nothing to write and nothing to show", "name a file with -o, or add --serve")
    if out is not None and out.suffix.lower() != ".mcap":
        raise OptionError(f"-o {out}", "it is written as MCAP", "name it OUT.mcap")
    if out is not None and out.exists() and args.recording.exists() and out.samefile(args.recording):
        raise OptionError(f"-o {out}", "it is the recording itself", "name another file")


def _only_writer(output: Path | None) -> AbstractContextManager[object]:
    return nullcontext() if output is None else only_writer(output, "bind-stream", "-o")


def _writer(
    output: Path | None, space: str, names: Sequence[str]
) -> AbstractContextManager[VectorWriter | None]:
    return nullcontext() if output is None else VectorWriter(output, space, names)


class _Monitors:
    """A monitor a topic, of the same prompts."""

    def __init__(self, model: Any, prompts: Prompts | None) -> None:
        self._first = (
            None
            if prompts is None
            else Monitor(model, prompts.named, against=prompts.against, **prompts.options)
        )
        self._by_topic: dict[str, Monitor] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return () if self._first is None else self._first.names

    def of(self, topic: str) -> Monitor | None:
        if self._first is not None and topic not in self._by_topic:
            self._by_topic[topic] = self._first.copy()
        return self._by_topic.get(topic)

    def all(self) -> list[tuple[str, Monitor]]:
        return list(self._by_topic.items())


class _Work:
    """What is written, shown and counted."""

    def __init__(self, monitors: _Monitors, shown: Shown) -> None:
        self._monitors, self._shown = monitors, shown
        self._windows: dict[str, int] = {}
        self._latest: dict[str, int] = {}
        self.events: list[tuple[str, Event]] = []

    @property
    def windows(self) -> int:
        return sum(self._windows.values())

    def take(self, window: Any, writer: VectorWriter | None) -> None:
        self._windows[window.topic] = self._windows.get(window.topic, 0) + 1
        self._latest[window.topic] = window.recorded
        monitor = self._monitors.of(window.topic)
        scores = {} if monitor is None else monitor.scores(window.vector)
        if writer is not None:
            writer.add(window, scores)
        ended = [] if monitor is None else monitor.push(window)
        self._shown.window(window, scores, monitor)
        self._tell(window.topic, ended, writer)

    def end(self, writer: VectorWriter | None) -> None:
        for topic, monitor in self._monitors.all():
            self._tell(topic, monitor.finish(), writer)

    def _tell(self, topic: str, events: Sequence[Event], writer: VectorWriter | None) -> None:
        for event in events:
            self.events.append((topic, event))
            self._shown.event(topic, event)
            if writer is not None:
                writer.add_event(event, topic, self._latest[topic])

    def summary(self, space: str, recording: Recording) -> dict[str, Any]:
        return {
            "ok": True,
            "space": space,
            "windows": self._windows,
            "events": [{"topic": topic, **vars(event)} for topic, event in self.events],
            "recording": recording.report.as_dict(),
        }


def _tell(
    args: Arguments, console: Console, work: _Work, recording: Recording, summary: dict[str, Any]
) -> None:
    if args.json:
        print(json.dumps(summary, ensure_ascii=False))
        return
    for topic, event in work.events:
        print(f"{event.start:.2f}\t{event.end:.2f}\t{event.score:+.3f}\t{event.name}\t{topic}")
    lines = recording.report.lines()
    if not work.windows:
        lines.insert(0, "no window was embedded: docs/recordings.md lists the types of topics that are read")
    for line in lines:
        console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True, emoji=False)
    told = f"{work.windows} vectors" + (f", {len(work.events)} events" if args.prompts else "")
    where = "" if args.output is None else f" in {args.output}"
    console.print(f"{told}{where}", markup=False, highlight=False, soft_wrap=True, emoji=False)


COMMAND = Command(
    "stream",
    "a recording of sensors: MCAP and ROS bags to vectors, scores and events",
    parser,
    run,
    output=lambda args: args.output,
    when_stopped=lambda args: f"; {args.output} has what was found so far" if args.output else "",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv)
