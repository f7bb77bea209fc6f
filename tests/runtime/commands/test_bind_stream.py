"""``bind-stream``: vectors, scores and events of a recording, in an MCAP that describes itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.commands.stream import main
from bindrt.recordings.embedding.messages import score_fields
from support.recordings import BEGIN, SECOND, write_run

world = pytest.importorskip("tiny.world")
mcap_reader = pytest.importorskip("mcap.reader")
decoder = pytest.importorskip("mcap_protobuf.decoder")

START = BEGIN / SECOND


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bell is heard and felt for 8 s, then a car."""
    parts = [world.sample(8_000_000 + i, (kind,), "test") for i, kind in enumerate(("bell", "car"))]
    heard = np.concatenate([world.sound(part, 8.0) for part in parts])
    felt = np.concatenate([world.motion(part, 8.0) for part in parts], axis=1)
    return write_run(
        tmp_path_factory.mktemp("run") / "run.mcap", heard, world.SOUND_RATE, felt, world.IMU_RATE
    )


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def stream(capsys: pytest.CaptureFixture[str]) -> Any:
    def run_it(*arguments: object) -> Done:
        capsys.readouterr()
        code = main(["--bundle", "tiny", *map(str, arguments)])
        return Done(code, *capsys.readouterr())

    return run_it


def written(path: Path) -> dict[str, list[tuple[int, Any]]]:
    """What a reader finds that knows nothing of bindrt: topic → record time and message."""
    found: dict[str, list[tuple[int, Any]]] = {}
    with open(path, "rb") as file:
        reader = mcap_reader.make_reader(file, decoder_factories=[decoder.DecoderFactory()])
        for schema, channel, message, decoded in reader.iter_decoded_messages():
            assert schema is not None
            assert schema.encoding == "protobuf"
            found.setdefault(channel.topic, []).append((message.log_time, decoded))
    return found


PROMPTS = {
    "prompts": {"bell": ["a bell ringing"], "a car": "a car driving"},
    "against": ["a fire burning"], "on": 0.6, "off": 0.4, "hold": 1, "cooldown": 1, "score": "probability",
}  # fmt: skip


def test_vectors_scores_and_events(run: Path, stream: Any, tmp_path: Path) -> None:
    out, prompts = tmp_path / "out.mcap", tmp_path / "prompts.json"
    prompts.write_text(json.dumps(PROMPTS), "utf-8")
    done = stream(run, "-o", out, "--prompts", prompts, "--hop", "0.5")
    assert done.code == 0, done.err
    found = written(out)
    assert set(found) == {
        "/bindrt/mic/vector", "/bindrt/mic/scores", "/bindrt/imu/vector", "/bindrt/imu/scores",
        "/bindrt/events",
    }  # fmt: skip
    with bindrt.load("tiny") as model:
        vectors = [vector for _, vector in found["/bindrt/mic/vector"]]
        assert {(v.topic, v.modality, v.space) for v in vectors} == {("/mic", "audio", model.space)}
        np.testing.assert_allclose([v.start - START for v in vectors], np.arange(29) / 2, atol=1e-3)
        want = bindrt.Monitor(model, PROMPTS["prompts"], against=PROMPTS["against"], score="probability")
        for (_, vector), (_, scores) in zip(
            found["/bindrt/mic/vector"], found["/bindrt/mic/scores"], strict=True
        ):
            expected = want.scores(np.array(vector.vector, np.float32))
            assert scores.bell == pytest.approx(expected["bell"], abs=1e-5)
            assert scores.a_car == pytest.approx(expected["a car"], abs=1e-5)
    log_times = [time for messages in found.values() for time, _ in messages]
    assert BEGIN <= min(log_times) <= max(log_times) <= BEGIN + 17 * SECOND
    for topic in ("/mic", "/imu"):
        events = [event for _, event in found["/bindrt/events"] if event.topic == topic]
        assert [event.name for event in events] == ["bell", "a car"], topic
        assert events[0].start - START < 2
        assert abs(events[1].start - START - 8) < 2.5
        assert events[1].end - START == pytest.approx(16, abs=1)
        assert all(event.start <= event.peak <= event.end for event in events)
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert sorted((line[3], line[4]) for line in lines) == [
        ("a car", "/imu"), ("a car", "/mic"), ("bell", "/imu"), ("bell", "/mic"),
    ]  # fmt: skip


def test_the_summary_and_the_metadata(run: Path, stream: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.mcap"
    done = stream(run, "-o", out, "--topic", "/mic", "--json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert said["windows"] == {"/mic": 15}
    assert said["events"] == []
    assert said["recording"]["read"] == {"/mic": 160}
    with open(out, "rb") as file:
        (metadata,) = mcap_reader.make_reader(file).iter_metadata()
    assert metadata.metadata["space"] == said["space"]
    assert json.loads(metadata.metadata["report"])["windows"] == said["windows"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.mcap"]


def test_a_recording_that_is_cut_off(run: Path, stream: Any, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(run.read_bytes()[: run.stat().st_size // 2])
    done = stream(cut, "-o", tmp_path / "out.mcap")
    assert done.code == 3
    assert "it was read up to there" in done.err
    assert 0 < len(written(tmp_path / "out.mcap")["/bindrt/mic/vector"]) < 15


def test_nothing_that_can_be_embedded_is_said(stream: Any, tmp_path: Path) -> None:
    from support.recordings import Said, make, write_mcap

    mood = write_mcap(tmp_path / "r.mcap", [Said("/mood", BEGIN, make("robot_msgs/msg/Mood"))] * 2)
    done = stream(mood, "-o", tmp_path / "out.mcap")
    assert done.code == 0
    assert "no window was embedded" in done.err
    assert "/mood: 2 messages of type robot_msgs/msg/Mood were passed over" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-o", "out.txt"], 2, "it is written as MCAP"),
        (["-o", "out.mcap", "--topic", "/nose=audio"], 2, "topic /nose: "),
        (["-o", "out.mcap", "--topic", "/mic=smell"], 2, "'smell' is no modality"),
        (["-o", "out.mcap", "--topic", "/mic=imu"], 2, "holds no imu; it is audio"),
        (["-o", "out.mcap", "--topic", "/mic=audio,rate=fast"], 2, "rate=fast cannot be"),
        (["-o", "out.mcap", "--topic", "/mic", "--topic", "/mic"], 2, "named twice"),
        (["-o", "out.mcap", "--topic", "/imu=imu,unit=g"], 2, "has no options"),
        (["-o", "out.mcap", "--window", "0"], 2, "not a time"),
        (["-o", "out.mcap", "--prompts", "none.json"], 1, "the prompts cannot be read"),
        (["-o", "no/such/../out.mcap", "--prompts", "none.txt"], 1, "the prompts cannot be read"),
    ],
)
def test_wrong_usage(
    run: Path, stream: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int,
    message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    done = stream(run, *arguments)
    assert (done.code, message in done.err) == (code, True), done.err
    assert not (tmp_path / "out.mcap").exists()


def test_what_is_no_recording(stream: Any, tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_text("hello")
    done = stream(tmp_path / "a.mcap", "-o", tmp_path / "out.mcap")
    assert (done.code, "it is no recording" in done.err) == (1, True)
    (tmp_path / "b.mcap").write_text("hello")
    done = stream(tmp_path / "b.mcap", "-o", tmp_path / "b.mcap")
    assert (done.code, "it is the recording itself" in done.err) == (2, True)
    assert (tmp_path / "b.mcap").read_text() == "hello"


def test_fields_of_scores() -> None:
    names = ["glass breaking", "Glass, breaking", "3 bells", "start", "öl", "!"]
    assert list(score_fields(names).values()) == [
        "glass_breaking", "glass_breaking_2", "_3_bells", "start_2", "l", "prompt",
    ]  # fmt: skip
