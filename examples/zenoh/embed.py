"""Embeds what sensors publish on Zenoh, and publishes vectors, scores and events; README.md.

``python examples/zenoh/embed.py 'robot/*/imu=imu' robot/mic=audio --prompts sounds.txt``
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from incoming import read_sample

import bindrt
from bindrt.commands.prompt_files import read_prompts
from bindrt.commands.stream_topics import parse_topics
from bindrt.recordings import Choice
from bindrt.recordings.embedding import WindowOptions
from bindrt.recordings.live import LiveTopics
from bindrt.sources.optional import optional

PREFIX = "bindrt"  # results are published below it


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument(
        "keys", nargs="+", metavar="KEY=MODALITY[,NAME=VALUE…]", help="key expressions of sensors"
    )
    made.add_argument(
        "--info", action="append", default=[], metavar="KEY", help="of CameraInfo and AudioInfo"
    )
    made.add_argument(
        "--type", action="append", default=[], metavar="KEY=TYPE", help="where messages do not say it"
    )
    made.add_argument(
        "--bundle", default="tiny", metavar="NAME.bind", help="default: tiny, which comes along"
    )
    made.add_argument("--prompts", type=Path, metavar="FILE", help="find events: as bind-stream --prompts")
    made.add_argument("--window", type=float, metavar="S", help="default: 2 for audio and video, 5 for imu")
    made.add_argument("--hop", type=float, metavar="S", help="default: 1")
    made.add_argument("--policy", default="latest", choices=("latest", "even", "all"))
    made.add_argument("--queue", type=int, default=8, metavar="N", help="windows of a key that may wait")
    made.add_argument("--config", type=Path, metavar="FILE", help="a configuration of Zenoh")
    made.add_argument(
        "--connect", action="append", default=[], metavar="ENDPOINT", help="as tcp/192.168.1.2:7447"
    )
    made.add_argument("--listen", action="append", default=[], metavar="ENDPOINT")
    made.add_argument("--no-scouting", action="store_true", help="find nobody by multicast")
    made.add_argument(
        "--reliable", action="store_true", help="wait for a slow network rather than drop results"
    )
    made.add_argument("--seconds", type=float, metavar="S", help="end after that time; default: at Ctrl-C")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    try:
        with opened(args) as session:
            run(args, session, threading.Event())
    except bindrt.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run(args: argparse.Namespace, session: Any, end: threading.Event) -> None:
    """Embeds until ``end`` is set, Ctrl-C, or the time is over.

    Raises:
        bindrt.Error: an option cannot be, or the bundle cannot be loaded.
    """
    choices = parse_topics(args.keys)
    types = dict(text.partition("=")[::2] for text in args.type)
    prompts = read_prompts(args.prompts) if args.prompts else None
    with bindrt.load(args.bundle) as model:
        open_engines(model, choices)
        monitor = None
        if prompts is not None:
            monitor = bindrt.Monitor(model, prompts.named, against=prompts.against, **prompts.options)
        results = Results(session, model.space, monitor, args.reliable)
        options = WindowOptions(args.window, args.hop)
        with LiveTopics(model, results.publish, options, policy=args.policy, queue=args.queue) as topics:
            sensors = Sensors(topics, types)
            keys = [*choices.items(), *((key, None) for key in args.info)]
            receivers = [session.declare_subscriber(k, partial(sensors.receive, k, c)) for k, c in keys]
            print("embedding; Ctrl-C ends it", flush=True)
            with suppress(KeyboardInterrupt):
                end.wait(args.seconds)
            for receiver in receivers:
                receiver.undeclare()
        results.finish()
        for line in topics.report.lines():
            print(line, file=sys.stderr)


def open_engines(model: bindrt.Model, choices: Mapping[str, Choice]) -> None:
    """Opens what the keys need now, so that no thread of Zenoh has to wait for it.

    Raises:
        bindrt.OptionError: the bundle does not have it.
    """
    for key, choice in choices.items():
        if choice.modality is None:
            continue
        if choice.modality == "text":
            raise bindrt.OptionError(key, "no sensor gives text", "for example robot/mic=audio")
        if choice.modality not in model.modalities:
            has = f"it has {', '.join(model.modalities)}"
            raise bindrt.OptionError(key, f"the bundle has no {choice.modality}", has)
        engine: Any = model.engine
        engine(choice.modality)


def opened(args: argparse.Namespace) -> Any:
    """A session of Zenoh.

    Raises:
        bindrt.Error: eclipse-zenoh is not installed, or the session cannot be opened.
    """
    zenoh = optional("zenoh", "eclipse-zenoh", "sensors on Zenoh")
    try:
        config = zenoh.Config.from_file(args.config) if args.config else zenoh.Config()
        for name in ("connect", "listen"):
            if endpoints := getattr(args, name):
                config.insert_json5(f"{name}/endpoints", json.dumps(endpoints))
        if args.no_scouting:
            config.insert_json5("scouting/multicast/enabled", "false")
        return zenoh.open(config)
    except zenoh.ZError as error:
        raise bindrt.OptionError(
            "Zenoh", f"no session: {error}", "check --connect, --listen, --config"
        ) from error


class Sensors:
    """Hands what comes to the topics. Zenoh calls ``receive`` on threads of its own, which never wait here.

    Attributes:
        problems: what was not taken, by key: once each.
    """

    def __init__(self, topics: LiveTopics, types: dict[str, str]) -> None:
        self._topics, self._types = topics, types
        self._lock = threading.Lock()
        self.problems: dict[str, str] = {}

    def receive(self, expression: str, choice: Choice | None, sample: Any) -> None:
        """A sample of a key that the expression matches. Its key is its topic."""
        key = str(sample.key_expr)
        if key.startswith(f"{PREFIX}/") or key in self.problems:
            return
        try:
            found = read_sample(sample, self._types.get(expression, ""), choice.modality if choice else None)
            with self._lock:
                if key not in self._topics.names:
                    self._topics.add(key, found.type, choice, found.encoding)
            if found.message is None:
                self._topics.push_bytes(key, found.data, found.time)
            else:
                self._topics.push(key, found.message, found.time)
        except bindrt.ClosedError:
            pass  # it ends
        except bindrt.Error as error:
            self.problems[key] = f"{key}: {error}"
            print(self.problems[key], file=sys.stderr, flush=True)


class Results:
    """Publishes the windows of all keys.

    ``bindrt/KEY/vector``: float32 numbers, with an attachment of JSON that says what they are of.
    ``bindrt/KEY/scores`` and ``bindrt/events``: JSON.
    """

    def __init__(self, session: Any, space: str, monitor: bindrt.Monitor | None, reliable: bool) -> None:
        zenoh = optional("zenoh", "eclipse-zenoh", "sensors on Zenoh")
        congestion = zenoh.CongestionControl.BLOCK if reliable else zenoh.CongestionControl.DROP
        self._put = partial(session.put, congestion_control=congestion)
        self._space, self._monitor = space, monitor
        self._monitors: dict[str, bindrt.Monitor] = {}
        self._lock = threading.Lock()

    def publish(self, key: str, modality: str, window: Any) -> None:
        """Publishes a window; streams call it, for each key one call at a time."""
        if window.error is not None:
            print(f"{key}: {window.error}", file=sys.stderr)
            return
        told = {"modality": modality, "start": window.start, "end": window.end}
        more = {"space": self._space, "dropped": window.dropped, "staleness": window.staleness}
        self._put(
            f"{PREFIX}/{key}/vector",
            window.vector.astype("<f4").tobytes(),
            encoding="application/octet-stream;float32",
            attachment=json.dumps({**told, **more, "notes": dict(window.notes)}),
        )
        if self._monitor is None:
            return
        monitor = self._monitor_of(key)
        self._put_json(f"{key}/scores", {**told, "scores": monitor.scores(window.vector)})
        self._tell(key, monitor.push(window))

    def finish(self) -> None:
        """The events that went on end."""
        for key, monitor in self._monitors.items():
            self._tell(key, monitor.finish())

    def _monitor_of(self, key: str) -> bindrt.Monitor:
        assert self._monitor is not None
        with self._lock:
            if key not in self._monitors:
                self._monitors[key] = self._monitor.copy()
            return self._monitors[key]

    def _tell(self, key: str, events: list[bindrt.Event]) -> None:
        for event in events:
            self._put_json("events", {"key": key, **vars(event)})

    def _put_json(self, below: str, told: dict[str, Any]) -> None:
        self._put(f"{PREFIX}/{below}", json.dumps(told), encoding="application/json")


if __name__ == "__main__":
    sys.exit(main())
