"""The Zenoh example, with a robot that is a peer of its own on loopback."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import bindrt
from support.pages import ROOT

EXAMPLE = ROOT / "examples" / "zenoh"


def is_here() -> bool:
    try:
        return bool(version("eclipse-zenoh"))
    except PackageNotFoundError:
        return False


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the example."""
    monkeypatch.syspath_prepend(str(EXAMPLE))

    def load(name: str) -> ModuleType:
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    yield load
    for name in ("embed", "incoming"):
        sys.modules.pop(name, None)


@pytest.mark.skipif(not is_here(), reason="eclipse-zenoh is not installed")
def test_two_peers(tmp_path: Path) -> None:
    """What a robot publishes comes back as vectors, scores and events."""
    paths = [str(ROOT / name) for name in ("tests", "examples", "runtime", "")] + sys.path
    done = subprocess.run(
        [sys.executable, "-m", "support.zenoh_peers", str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    heard: list[tuple[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    assert "robot/strange: its type robot_msgs/msg/Mood is not read" in done.stderr
    sounds = [told for key, told in heard if key == "bindrt/robot/mic/vector"]
    assert [told["end"] - told["start"] for told in sounds] == pytest.approx([2.0] * 9)
    assert {(told["encoding"], told["modality"], told["dropped"]) for told in sounds} == {
        ("application/octet-stream;float32", "audio", 0)
    }
    np.testing.assert_allclose(np.linalg.norm([told["vector"] for told in sounds], axis=1), 1, atol=1e-5)
    with bindrt.load("tiny") as model:
        assert {told["space"] for told in sounds} == {model.space}
        text = model.embed(text=["a bell ringing", "a car driving"]).text
    bell, car = np.transpose([told["vector"] for told in sounds] @ text.T)
    assert (bell > car).all()
    scores = [told["scores"]["bell"] for key, told in heard if key == "bindrt/robot/mic/scores"]
    np.testing.assert_allclose(scores, bell - car, atol=1e-4)
    events = [told for key, told in heard if key == "bindrt/events" and told["key"] == "robot/mic"]
    assert [event["name"] for event in events] == ["bell"]
    assert events[0]["start"] == pytest.approx(sounds[0]["start"])


def test_eclipse_zenoh_that_is_not_installed(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "zenoh", None)
    assert module("embed").main(["robot/mic=audio"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("eclipse-zenoh: sensors on Zenoh need it, and it is not installed; pip install")


@pytest.mark.skipif(not is_here(), reason="eclipse-zenoh is not installed")
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["robot/mic=smell"], "'smell' is no modality"),
        (["robot/mic=audio", "--connect", "nowhere"], "no session"),
        (["robot/mic=audio", "--bundle", "none.bind"], "none.bind"),
        (["robot/mic=text"], "no sensor gives text"),
    ],
)
def test_options_that_cannot_be(
    module: Any, words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert module("embed").main([*words, "--no-scouting"]) == 1
    told = capsys.readouterr().err
    assert problem in told
    assert len(told.splitlines()) == 1


def came(key: str, encoding: str, data: bytes = b"x", time: Any = None) -> Any:
    """A sample as Zenoh gives it."""
    return SimpleNamespace(
        key_expr=key, encoding=encoding, payload=SimpleNamespace(to_bytes=lambda: data), timestamp=time
    )


@pytest.mark.parametrize(
    ("key", "encoding", "told", "modality", "kind"),
    [
        ("a", "application/cdr;sensor_msgs/msg/Imu", "", "imu", "sensor_msgs/msg/Imu"),
        ("a", "zenoh/bytes", "sensor_msgs/msg/Image", "depth", "sensor_msgs/msg/Image"),
        ("0/a/sensor_msgs::msg::dds_::Imu_/RIHS01_7f", "zenoh/bytes", "", None, "sensor_msgs/msg/Imu"),
        ("a", "zenoh/bytes", "", "thermal", "sensor_msgs/msg/Image"),
        ("a", "image/png", "", "image", "sensor_msgs/msg/CompressedImage"),
    ],
)
def test_what_says_the_type(
    module: Any, key: str, encoding: str, told: str, modality: str | None, kind: str
) -> None:
    found = module("incoming").read_sample(came(key, encoding), told, modality)
    assert (found.type, found.encoding, found.data) == (kind, "cdr", b"x")
    assert (found.message is None) == (encoding != "image/png")


def test_nothing_says_the_type(module: Any) -> None:
    with pytest.raises(bindrt.InputError, match="nothing says what its message is; name its type: --type"):
        module("incoming").read_sample(came("a", "zenoh/bytes"), "", None)


def test_what_it_publishes_itself_and_what_failed_is_not_taken(
    module: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    embed = module("embed")
    sensors = embed.Sensors(topics=SimpleNamespace(names=()), types={})
    sensors.receive("**", None, came("bindrt/a/vector", "zenoh/bytes"))
    assert sensors.problems == {}
    for _ in range(2):
        sensors.receive("**", None, came("a", "zenoh/bytes"))
    assert list(sensors.problems) == ["a"]
    assert len(capsys.readouterr().err.splitlines()) == 1
