"""``bind-stream --serve``: a recording plays, and a page shows it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bindrt.commands.stream import main
from support.commands import command
from support.recordings import BEGIN, SECOND, Said, image, write_mcap, write_run
from support.viewers import PATIENCE, Viewer, ask

world = pytest.importorskip("tiny.world")
PROMPTS = {
    "prompts": {"bell": ["a bell ringing"], "<car>": "a car driving"}, "on": 0.5, "off": 0.4, "hold": 0.3,
    "score": "probability",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bell is heard and felt for 2.6 s."""
    folder = tmp_path_factory.mktemp("run")
    scene = world.sample(8_000_000, ("bell",), "test")
    (folder / "prompts.json").write_text(json.dumps(PROMPTS), "utf-8")
    heard, felt = world.sound(scene, 2.6), world.motion(scene, 2.6)
    return write_run(folder / "run.mcap", heard, world.SOUND_RATE, felt, world.IMU_RATE)


class Running:
    """The command while it runs."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            command("bind-stream", "--bundle", "tiny", *arguments),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.url = ""

    def line(self, wanted: str) -> str:
        """The next line on standard error that has a text."""
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            if wanted in line:
                return line
        raise AssertionError("".join(said))

    def interrupt(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@pytest.fixture
def running() -> Iterator[list[Running]]:
    started: list[Running] = []
    yield started
    for one in started:
        one.process.kill()
        one.process.wait()


def test_a_recording_is_watched_to_its_end(run: Path, running: list[Running], tmp_path: Path) -> None:
    out = tmp_path / "out.mcap"
    prompts = run.parent / "prompts.json"
    shown = Running(run, "--serve", "--prompts", prompts, "--hop", "0.1", "--topic", "/mic", "-o", out)
    running.append(shown)
    found = re.search(r"watch at (http://127\.0\.0\.1:\d+/)", shown.line("watch at"))
    assert found
    with Viewer(found[1]) as viewer:
        message = viewer.until(lambda message: message["ended"])
    (card,) = message["streams"]
    assert (card["name"], card["modality"], card["names"], card["shows"]) == (
        "/mic", "audio", ["bell", "<car>"], "sound",
    )  # fmt: skip
    assert card["windows"] + card["dropped"] == 7
    assert card["latency"] >= 0
    assert ask(found[1], f"/picture/{card['id']}")[2][:2] == b"\xff\xd8"
    shown.line("the page stays at")
    with Viewer(found[1]) as viewer:  # who comes late sees all of it
        message = next(viewer.messages())
    assert message["title"] == "run.mcap · bind-stream"
    assert [event[:2] for event in message["events"]] == [[0, "bell"]]
    assert out.exists(), "the file is whole before the page has ended"
    code, said, _ = shown.interrupt()
    assert code == 0
    assert "bell\t/mic" in said


def test_it_can_be_ended_while_the_recording_plays(running: list[Running], tmp_path: Path) -> None:
    frame = np.zeros((32, 32, 3), np.uint8)
    said = [Said("/camera", BEGIN + i * 1000 * SECOND, image(frame, "rgb8")) for i in range(3)]
    shown = Running(write_mcap(tmp_path / "long.mcap", said), "--serve")
    running.append(shown)
    url = shown.line("watch at").split()[-1]
    with Viewer(url) as viewer:
        message = viewer.until(lambda m: bool(m["streams"]) and m["streams"][0]["windows"] == 1)
        assert message["ended"] is False
        assert message["streams"][0]["shows"] == "picture"
        assert ask(url, "/picture/0")[2][:2] == b"\xff\xd8"
        code, _, err = shown.interrupt()
    assert (code, "stopped" in err) == (130, True), err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "nothing to write and nothing to show; name a file with -o, or add --serve"),
        (["--serve", "a:b:c"], "--serve a:b:c: not HOST:PORT"),
        (["--serve-name", "robot", "-o", "out.mcap"], "--serve-name: there is no page; add --serve"),
    ],
)
def test_wrong_usage(
    run: Path, arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--bundle", "tiny", str(run), *arguments]) == 2
    assert problem in " ".join(capsys.readouterr().err.split())


def test_a_port_that_is_taken(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--bundle", "tiny", str(run), "--serve", str(port)]) == 2
    assert f"127.0.0.1:{port}: another program serves there" in capsys.readouterr().err
