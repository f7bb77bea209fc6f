"""The vectors of a recording's windows are those of the same windows cut out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.recordings import Choice, Recording, Sample
from bindrt.recordings.embedding import TopicWindow, WindowOptions, embed_recording
from bindrt.recordings.embedding.windows import paced
from support import media
from support.recordings import BEGIN, SECOND, Said, image, make, write_mcap, write_run

RATE, HERTZ = 22050, 200
START = BEGIN / SECOND


@pytest.fixture(scope="module")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny", engine="onnxruntime") as loaded:
        yield loaded


@pytest.fixture(scope="module")
def signals() -> tuple[np.ndarray, np.ndarray]:
    """Sound and motion of 7.5 s."""
    sound = np.rint(media.waveform(7.5, 1, RATE)[0] * 32767) / 32767
    t = np.arange(int(7.5 * HERTZ)) / HERTZ
    motion = np.stack([np.sin((1 + i) * t) for i in range(6)]) + np.array([0, 0, 9.81, 0, 0, 0])[:, None]
    return sound.astype(np.float32), motion


@pytest.fixture(scope="module")
def run(signals: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run") / "run.mcap", signals[0], RATE, signals[1], HERTZ)


def embedded(model: bindrt.Model, path: Path, *args: Any, **options: Any) -> tuple[list[TopicWindow], Any]:
    with Recording(path) as recording:
        found = list(embed_recording(model, recording, *args, **options))
    return found, recording.report


def test_as_embed_of_the_same_windows(
    model: bindrt.Model, run: Path, signals: tuple[np.ndarray, np.ndarray]
) -> None:
    sound, motion = signals
    windows, report = embedded(model, run)
    assert report.lines() == []
    heard = [w for w in windows if w.topic == "/mic"]
    felt = [w for w in windows if w.topic == "/imu"]
    np.testing.assert_allclose([w.start - START for w in heard], range(6), atol=1e-4)
    np.testing.assert_allclose([w.start - START for w in felt], range(3), atol=1e-2)
    assert {(w.modality, round(w.end - w.start, 3)) for w in windows} == {("audio", 2.0), ("imu", 5.0)}
    for number, w in enumerate(heard):
        part = sound[number * RATE : (number + 2) * RATE]
        want = model.embed(audio=bindrt.Audio(part, rate=RATE)).audio[0]
        np.testing.assert_allclose(w.vector, want, atol=1e-4)
    for number, w in enumerate(felt):
        part = motion[:, number * HERTZ : (number + 5) * HERTZ]
        want = model.embed(imu=bindrt.Imu(part, rate=HERTZ)).imu[0]
        assert float(w.vector @ want) > 0.999
    assert [w.recorded for w in windows] == sorted(w.recorded for w in windows)
    assert all(w.recorded >= (w.end - 0.2) * SECOND for w in windows)


def test_windows_and_hops(model: bindrt.Model, run: Path) -> None:
    windows, _ = embedded(model, run, {"/mic": Choice()}, WindowOptions(window=1.0, hop=0.5))
    np.testing.assert_allclose([w.start - START for w in windows], np.arange(14) / 2, atol=1e-4)


def test_pictures_one_a_hop(model: bindrt.Model, tmp_path: Path) -> None:
    frames = media.frames(30, 64, 48)
    said = [
        Said("/camera", BEGIN + i * SECOND // 10, image(f, "rgb8", stamp=BEGIN + i * SECOND // 10))
        for i, f in enumerate(frames)
    ]
    bad = image(frames[0], "rgb8", stamp=BEGIN + 3 * SECOND)
    bad.data = bad.data[:100]
    said.append(Said("/camera", BEGIN + 3 * SECOND, bad))
    windows, report = embedded(model, write_mcap(tmp_path / "r.mcap", said))
    assert [(w.start, w.end, w.modality) for w in windows] == [
        (START + i, START + i, "image") for i in range(3)
    ]
    want = model.embed(image=[bindrt.Image(frames[i]) for i in (0, 10, 20)]).image
    np.testing.assert_allclose([w.vector for w in windows], want, atol=1e-5)
    assert "100 are there" in report.lines()[0]


def test_frames_as_a_video(model: bindrt.Model, tmp_path: Path) -> None:
    frames = media.frames(40, 64, 48)
    said = [
        Said(
            "/camera", BEGIN + i * SECOND // 10, image(f[:, :, ::-1], "bgr8", stamp=BEGIN + i * SECOND // 10)
        )
        for i, f in enumerate(frames)
    ]
    windows, report = embedded(model, write_mcap(tmp_path / "r.mcap", said), {"/camera": Choice("video")})
    assert report.lines() == []
    np.testing.assert_allclose([w.start - START for w in windows], range(3), atol=1e-3)
    for number, w in enumerate(windows):
        part = np.stack(frames[10 * number : 10 * number + 20])
        want = model.embed(video=bindrt.Video(part, fps=10)).video[0]
        np.testing.assert_allclose(w.vector, want, atol=1e-4)


def test_two_sensors_in_two_topics_are_joined(
    model: bindrt.Model, signals: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    """As a RealSense camera publishes them."""
    absent = np.array([-1.0, *[0.0] * 8])
    said = []
    for i, values in enumerate(signals[1].T):
        stamp = BEGIN + i * SECOND // HERTZ
        acc = {f"linear_acceleration__{k}": float(v) for k, v in zip("xyz", values[:3], strict=True)}
        gyro = {f"angular_velocity__{k}": float(v) for k, v in zip("xyz", values[3:], strict=True)}
        for topic, fields in (
            ("/camera/accel/sample", {**acc, "angular_velocity_covariance": absent}),
            ("/camera/gyro/sample", {**gyro, "linear_acceleration_covariance": absent}),
        ):
            said.append(Said(topic, stamp, make("sensor_msgs/msg/Imu", stamp=stamp, **fields)))
    windows, report = embedded(model, write_mcap(tmp_path / "r.mcap", said))
    assert report.lines() == []
    assert {w.topic for w in windows} == {"/camera/accel/sample"}
    assert len(windows) == 3
    want = model.embed(imu=bindrt.Imu(signals[1][:, : 5 * HERTZ], rate=HERTZ)).imu[0]
    assert float(windows[0].vector @ want) > 0.999
    alone, report = embedded(model, tmp_path / "r.mcap", {"/camera/gyro/sample": Choice()})
    assert alone == []
    assert report.lines() == ["/camera/gyro/sample: it has only gyro, so it has no windows of imu"]


def test_a_modality_that_the_bundle_lacks(run: Path) -> None:
    with bindrt.load("tiny", modalities=["imu"], engine="onnxruntime") as model:
        windows, report = embedded(model, run)
        assert {w.topic for w in windows} == {"/imu"}
        assert report.lines() == ["/mic: the bundle has no audio"]
        with Recording(run) as recording, pytest.raises(bindrt.OptionError, match="the bundle has no audio"):
            next(embed_recording(model, recording, {"/mic": Choice("audio")}))


def test_in_its_own_time() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    def samples() -> Iterator[Sample]:
        for at in (0.0, 0.5, 0.75, 0.75):
            yield Sample("imu", "/imu", 0.0, BEGIN + int(at * SECOND), lambda: None)
            now[0] += 0.1  # the work on it

    assert len(list(paced(samples(), lambda: now[0], sleep))) == 4
    assert slept == [0.4, 0.15]


def test_the_newest_windows_win_in_realtime(model: bindrt.Model, run: Path) -> None:
    """With an engine that computes nothing until it is let, all but the newest are left out, and counted."""
    import threading

    let, submit = threading.Event(), model.submit
    waiting: list[Any] = []

    class Slow:
        modalities = model.modalities

        def submit(self, modality: Any, item: Any) -> Any:
            future = submit(modality, item)
            waiting.append(future)

            class Held:
                def done(self) -> bool:
                    return let.is_set()

                def cancel(self) -> bool:
                    return True

                def result(self) -> Any:
                    let.set()
                    return future.result()

            return Held()

    with Recording(run) as recording:
        from bindrt.recordings.embedding.routing import Router
        from bindrt.recordings.embedding.windows import WindowsInWork

        router = Router(WindowOptions(window=0.5, hop=0.25), recording.report)
        work = WindowsInWork(Slow(), recording, drops=True)  # type: ignore[arg-type]
        windows = list(work.run(recording.samples({"/mic": Choice()}), router))
    assert len(windows) == 8
    assert windows[-1].start - START == pytest.approx(7.0, abs=1e-3)
    assert windows[-1].dropped == len(waiting) - 8 > 0
    assert recording.report.lines() == [
        f"/mic: {len(waiting) - 8} windows were left out, since the model was slower"
    ]


@pytest.mark.parametrize("options", [{"window": 0}, {"hop": -1.0}, {"hop": float("nan")}, {"window": "2"}])
def test_windows_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(bindrt.OptionError, match="not a time"):
        WindowOptions(**options)
