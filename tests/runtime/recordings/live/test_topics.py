"""Messages as they come give the vectors that a recording of them gives, and nothing is lost in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.recordings import Choice, Recording
from bindrt.recordings.containers import open_container
from bindrt.recordings.embedding import WindowOptions, embed_recording
from bindrt.recordings.live import LiveTopics
from bindrt.recordings.report import Report
from support import media
from support.recordings import BEGIN, SECOND, image, make, write_run

START = BEGIN / SECOND
RATE, HERTZ = 22050, 200
IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"


@pytest.fixture(scope="module")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny", engine="onnxruntime") as loaded:
        yield loaded


class Found(list[tuple[str, str, Any]]):
    """Windows with their topics and modalities."""

    def take(self, topic: str, modality: str, window: Any) -> None:
        assert window.error is None, window.error
        self.append((topic, modality, window))

    def of(self, topic: str) -> list[Any]:
        return [window for name, _, window in self if name == topic]


Open = Callable[..., LiveTopics]


@pytest.fixture
def found() -> Found:
    return Found()


@pytest.fixture
def opened(model: bindrt.Model, found: Found) -> Open:
    def make_topics(options: WindowOptions | None = None, **more: Any) -> LiveTopics:
        return LiveTopics(model, found.take, options, **{"policy": "all", "queue": 10_000, **more})

    return make_topics


def stamped(second: float) -> dict[str, int]:
    return {"stamp": BEGIN + round(second * SECOND)}


def test_as_the_recording(model: bindrt.Model, opened: Open, found: Found, tmp_path: Path) -> None:
    t = np.arange(int(6.5 * HERTZ)) / HERTZ
    motion = np.stack([np.sin((1 + i) * t) for i in range(6)])
    run = write_run(tmp_path / "run.mcap", media.waveform(6.5, 1, RATE)[0], RATE, motion, HERTZ)
    with Recording(run) as recording:
        want = list(embed_recording(model, recording))
    container = open_container(run, Report())
    with opened() as topics:
        for topic in container.topics():
            topics.add(topic.name, topic.type, encoding=topic.encoding)
        for raw in container.messages(container.topics(), lambda topic, count: None):
            topics.push_bytes(raw.topic.name, raw.data, raw.time)
        during = topics.stats()
    container.close()
    assert topics.report.lines() == []
    assert {name for name, _, _ in found} == {"/mic", "/imu"}
    for name in ("/mic", "/imu"):
        ours, theirs = found.of(name), [w for w in want if w.topic == name]
        assert [w.start for w in ours] == [w.start for w in theirs]
        np.testing.assert_allclose([w.vector for w in ours], [w.vector for w in theirs], atol=1e-5)
        assert topics.stats()[name]["delivered"] == len(ours)
    assert during["/mic"]["modality"] == "audio"
    assert during["/imu"]["messages"] == len(t)


def test_pictures_of_each_kind(model: bindrt.Model, opened: Open, found: Found) -> None:
    pixels, grey = media.picture(64, 48), media.picture(64, 48)[:, :, 0]
    metres = grey.astype(np.float32) / 50 + 0.5
    jpeg, png = media.picture_bytes("JPEG", pixels), media.picture_bytes("PNG", grey.astype(np.uint16) * 9)
    cases: dict[str, tuple[str, Any, Choice, dict[str, Any]]] = {
        "/rgb": (IMAGE, image(pixels, "rgb8"), Choice(), {"image": bindrt.Image(pixels)}),
        "/grey": (IMAGE, image(grey, "mono8"), Choice(), {"image": bindrt.Image(grey)}),
        "/jpeg": (COMPRESSED, packed("jpeg", jpeg), Choice(), {"image": jpeg}),
        "/metres": (IMAGE, image(metres, "32FC1"), Choice(), {"depth": bindrt.Depth(metres)}),
        "/far": (
            IMAGE, image(metres, "32FC1"), Choice("depth", {"focal": 300.0}),
            {"depth": bindrt.Depth(metres, focal=300.0)},
        ),
        "/png": (COMPRESSED, packed("16UC1; png", png), Choice("depth"), {"depth": bindrt.Depth(png)}),
        "/heat": (
            IMAGE, image(grey, "mono8"), Choice("thermal", {"low": 20.0, "high": 200.0}),
            {"thermal": bindrt.Thermal(grey, low=20.0, high=200.0)},
        ),
    }  # fmt: skip
    with opened() as topics:
        for name, (kind, message, choice, _) in cases.items():
            topics.add(name, kind, choice)
            topics.push(name, message, received=BEGIN)
    assert len(found) == len(cases)
    for name, (_, _, _, item) in cases.items():
        (window,) = found.of(name)
        assert window.end == START
        (want,) = next(iter(model.embed(**item).values()))
        np.testing.assert_allclose(window.vector, want, atol=1e-5, err_msg=name)


def packed(form: str, data: bytes) -> Any:
    return make(COMPRESSED, format=form, data=np.frombuffer(data, np.uint8))


def test_frames_as_a_video(model: bindrt.Model, opened: Open, found: Found) -> None:
    frames = media.frames(30, 64, 48)
    with opened() as topics:
        topics.add("/camera", IMAGE, Choice("video"))
        for i, frame in enumerate(frames):
            topics.push("/camera", image(frame, "rgb8", **stamped(i / 10)))
    assert [round(w.start - START, 3) for w in found.of("/camera")] == [0.0, 1.0]
    want = model.embed(video=bindrt.Video(np.stack(frames[:20]), fps=10)).video[0]
    np.testing.assert_allclose(found.of("/camera")[0].vector, want, atol=1e-4)


def test_one_picture_a_hop_and_no_other_is_decoded(opened: Open, found: Found) -> None:
    """The others hold nothing that could be decoded."""
    with opened(WindowOptions(hop=0.5)) as topics:
        topics.add("/camera", COMPRESSED)
        jpeg = media.picture_bytes("JPEG")
        for i in range(11):
            data = jpeg if i % 5 == 0 else b"no picture"
            message = packed("jpeg", data)
            message.header.stamp.sec, message.header.stamp.nanosec = 100, i * 100_000_000
            if i == 10:
                message.header.stamp.sec, message.header.stamp.nanosec = 101, 0
            topics.push("/camera", message)
    assert [w.end for w in found.of("/camera")] == [100.0, 100.5, 101.0]
    assert topics.report.lines() == []


def test_a_depth_map_waits_for_its_camera(model: bindrt.Model, opened: Open, found: Found) -> None:
    metres = np.linspace(0.5, 5, 48 * 64, dtype=np.float32).reshape(48, 64)
    info = make("sensor_msgs/msg/CameraInfo", width=128, k=np.array([420.0, *[0.0] * 8]))
    with opened() as topics:
        topics.add("/depth/camera_info", "sensor_msgs/msg/CameraInfo")
        topics.add("/depth/image_raw", IMAGE)
        topics.push("/depth/image_raw", image(metres, "32FC1", **stamped(0)))
        assert topics.stats() == {"/depth/image_raw": {"messages": 1, "unreadable": 0}}
        topics.push("/depth/camera_info", info)
        topics.push("/depth/image_raw", image(metres, "32FC1", **stamped(2)))
    want = model.embed(depth=bindrt.Depth(metres, focal=210.0)).depth[0]
    assert [w.end - START for w in found.of("/depth/image_raw")] == [0, 2]
    for window in found.of("/depth/image_raw"):
        np.testing.assert_allclose(window.vector, want, atol=1e-5)


def test_two_sensors_in_two_topics_are_joined(opened: Open, found: Found) -> None:
    absent = np.array([-1.0, *[0.0] * 8])
    with opened() as topics:
        for name in ("/accel", "/gyro"):
            topics.add(name, "sensor_msgs/msg/Imu")
        for i in range(6 * 100):
            for name, missing in (("/accel", "angular_velocity"), ("/gyro", "linear_acceleration")):
                fields = {f"{missing}_covariance": absent, **stamped(i / 100)}
                topics.push(name, make("sensor_msgs/msg/Imu", **fields))
    assert {name for name, _, _ in found} == {"/accel"}
    assert [round(w.start - START, 2) for w in found.of("/accel")] == [0.0, 1.0]
    assert topics.stats()["/gyro"]["windows"] == topics.stats()["/accel"]["windows"] == 2
    assert topics.stats()["/gyro"]["messages"] == 600


def sound(second: int, rate: int) -> Any:
    data = np.zeros(rate, "<i2").view(np.uint8)
    more = {"format": "pcm-s16", "sample_rate": rate, "number_of_channels": 1, "data": data}
    return make("foxglove_msgs/msg/RawAudio", **more, **stamped(second))


def test_another_rate_begins_a_new_stream_and_loses_nothing(opened: Open, found: Found) -> None:
    with opened() as topics:
        topics.add("/mic", "foxglove_msgs/msg/RawAudio")
        for second in range(9):
            topics.push("/mic", sound(second, 16000 if second < 4 else 8000))
    assert sorted(w.start - START for w in found.of("/mic")) == [0, 1, 2, 4, 5, 6, 7]
    told = topics.stats()["/mic"]
    assert (told["windows"], told["delivered"], told["refused"]) == (7, 7, 0)


def test_what_the_policy_refuses_is_counted(opened: Open) -> None:
    frames = media.frames(20, 64, 48)
    with opened(WindowOptions(hop=0.1), queue=1) as topics:
        topics.add("/camera", IMAGE)
        for i, frame in enumerate(frames):
            topics.push("/camera", image(frame, "rgb8", **stamped(i / 10)))
    told = topics.stats()["/camera"]
    assert told["delivered"] + told["refused"] == 20


def test_what_cannot_be_read_is_counted_and_stops_nothing(opened: Open, found: Found) -> None:
    pixels = media.picture(64, 48)
    with opened() as topics:
        topics.add("/camera", IMAGE)
        topics.add("/packed", COMPRESSED)
        topics.push("/camera", image(pixels, "rgb8", width=4000, **stamped(0)))
        topics.push("/camera", make("std_msgs/msg/String", data="hello"))
        topics.push("/camera", image(pixels, "rgb8", **stamped(1)))
        topics.push("/packed", packed("jpeg", b"no picture"), received=BEGIN)
        topics.push_bytes("/packed", b"no message", received=BEGIN)
    assert [w.end - START for w in found.of("/camera")] == [1]
    assert topics.stats()["/camera"]["unreadable"] == topics.stats()["/packed"]["unreadable"] == 2
    assert "/camera: 2 messages could not be read; " in "\n".join(topics.report.lines())


def test_a_modality_that_the_bundle_lacks(found: Found) -> None:
    with bindrt.load("tiny", modalities=["imu", "image"]) as model, LiveTopics(model, found.take) as topics:
        with pytest.raises(bindrt.OptionError, match="/mic: the bundle has no audio"):
            topics.add("/mic", "audio_common_msgs/msg/AudioData")
        topics.add("/camera", IMAGE)
        topics.push("/camera", image(np.ones((4, 4), np.float32), "32FC1", **stamped(0)))
    assert "/camera: the bundle has no depth" in topics.report.notes


@pytest.mark.parametrize(
    ("name", "kind", "choice", "problem"),
    [
        ("/tf", "tf2_msgs/msg/TFMessage", None, "its type tf2_msgs/msg/TFMessage is not read"),
        ("/cam", IMAGE, Choice("audio"), "holds no audio"),
        ("/there", IMAGE, None, "it is there already"),
    ],
)
def test_topics_that_cannot_be(
    opened: Open, name: str, kind: str, choice: Choice | None, problem: str
) -> None:
    with opened() as topics:
        topics.add("/there", IMAGE)
        with pytest.raises(bindrt.OptionError, match=problem):
            topics.add(name, kind, choice)
        with pytest.raises(bindrt.OptionError, match="it was not added; there are /there"):
            topics.push("/elsewhere", None)


def test_closed(opened: Open) -> None:
    topics = opened()
    topics.add("/camera", IMAGE)
    topics.close()
    topics.close(drain=True)
    with pytest.raises(bindrt.ClosedError, match="the topics are closed"):
        topics.push("/camera", image(media.picture(64, 48), "rgb8"))


def test_several_threads_push(opened: Open, found: Found) -> None:
    """Also messages of one topic: each is taken, and each window is told once."""
    names = ["/camera0", "/camera1"]
    pixels = media.picture(64, 48)
    with opened(WindowOptions(hop=0.01)) as topics:
        for name in names:
            topics.add(name, IMAGE)

        def push(name: str) -> None:
            for i in range(15):
                topics.push(name, image(pixels, "rgb8", **stamped(i)))

        threads = [threading.Thread(target=push, args=(name,)) for name in names * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name in names:
        told = topics.stats()[name]
        assert (told["messages"], told["failed"], told["unreadable"]) == (30, 0, 0)
        assert told["delivered"] == told["windows"] == len(found.of(name)) > 0
