"""Inertial samples, topics that are chosen, messages that are none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mcap.writer
import numpy as np
import pytest

import bindrt
from bindrt.recordings import Choice, Recording
from bindrt.recordings.messages import kind_of
from support.recordings import BEGIN, SECOND, Said, make, write_bag1, write_json, write_mcap


@pytest.mark.parametrize("version", [1, 2])
def test_imu(version: int, tmp_path: Path) -> None:
    absent = np.array([-1.0, *[0.0] * 8])
    said = [
        Said("/imu", BEGIN + i, make(
            "sensor_msgs/msg/Imu", version, stamp=BEGIN + SECOND, linear_acceleration__x=1.5,
            linear_acceleration__y=-2.0, linear_acceleration__z=9.81, angular_velocity__z=0.25,
            **{name: absent},
        ))
        for i, name in enumerate(
            ["orientation_covariance", "angular_velocity_covariance", "linear_acceleration_covariance"]
        )
    ]  # fmt: skip
    path = write_mcap(tmp_path / "r", said) if version == 2 else write_bag1(tmp_path / "r.bag", said)
    with Recording(path) as recording:
        both, acc, gyro = (sample.data for sample in recording.samples())
    np.testing.assert_array_equal(both.acc, [1.5, -2, 9.81])
    np.testing.assert_array_equal(both.gyro, [0, 0, 0.25])
    assert acc.gyro is None
    assert acc.acc is not None
    assert gyro.acc is None
    assert gyro.gyro is not None


def test_without_a_stamp_the_time_is_when_it_was_recorded(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / "r.mcap", [Said("/imu", BEGIN + 5 * SECOND, make("sensor_msgs/msg/Imu"))])
    with Recording(path) as recording:
        (sample,) = recording.samples()
    assert sample.time == BEGIN / SECOND + 5


def two_topics(tmp_path: Path) -> Path:
    blank = np.zeros((4, 6, 3), np.uint8)
    picture = make(
        "sensor_msgs/msg/Image", width=6, height=4, step=18, encoding="rgb8", data=blank.reshape(-1)
    )
    return write_mcap(
        tmp_path / "r.mcap",
        [
            Said("/imu", BEGIN, make("sensor_msgs/msg/Imu")),
            Said("/camera", BEGIN, picture),
            Said("/info", BEGIN, make("sensor_msgs/msg/CameraInfo")),
            Said("/mood", BEGIN, make("robot_msgs/msg/Mood")),
        ],
    )


def test_chosen_topics(tmp_path: Path) -> None:
    with Recording(two_topics(tmp_path)) as recording:
        assert recording.readable() == {"/camera": ("image", "video", "depth", "thermal"), "/imu": ("imu",)}
        assert [s.topic for s in recording.samples({"/imu": Choice()})] == ["/imu"]
        assert recording.report.lines() == ["/mood: 1 message of type robot_msgs/msg/Mood was passed over"]
        assert {s.topic for s in recording.samples()} == {"/imu", "/camera"}


@pytest.mark.parametrize(
    ("topic", "choice", "message"),
    [
        ("/mic", Choice("audio"), "does not have it; it has /camera, /imu"),
        ("/imu", Choice("audio"), "holds no audio; it is imu"),
        ("/mood", Choice("audio"), "its type robot_msgs/msg/Mood is not read"),
        ("/info", Choice("image"), "tells about other topics"),
    ],
)
def test_topics_that_cannot_be_chosen(topic: str, choice: Choice, message: str, tmp_path: Path) -> None:
    with Recording(two_topics(tmp_path)) as recording, pytest.raises(bindrt.OptionError, match=message):
        recording.samples({topic: choice})


def written(path: Path, kind: str, encoding: str, datas: list[bytes], schema: tuple[str, bytes]) -> Path:
    with open(path, "wb") as file:
        writer = mcap.writer.Writer(file)
        writer.start()
        number = writer.register_schema(kind, *schema)
        channel = writer.register_channel("/t", encoding, number)
        for i, data in enumerate(datas):
            writer.add_message(channel, BEGIN + i, data, BEGIN + i)
        writer.finish()
    return path


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("sensor_msgs/msg/Imu", "cdr"),
        ("sensor_msgs/msg/Image", "cdr"),
        ("sensor_msgs/Imu", "ros1"),
        ("foxglove.RawAudio", "json"),
        ("foxglove.RawAudio", "protobuf"),
        ("foxglove_msgs/msg/CompressedVideo", "cdr"),
    ],
)
def test_messages_that_are_none_are_counted(kind: str, encoding: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    datas = [
        b"",
        b"{",
        b"\0\1\0\0",
        b"\0\1\0\0" + b"\xff" * 60,
        b"[" * 5000,
        *(rng.bytes(n) for n in range(1, 200, 7)),
    ]
    with Recording(written(tmp_path / "r.mcap", kind, encoding, datas, ("x", b""))) as recording:
        samples = list(recording.samples())
    assert recording.report.failed["/t"][0] + len(samples) == len(datas)
    assert len(samples) < len(datas) / 2


def test_an_encoding_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "r.mcap", "foxglove.RawAudio", "flatbuffer", [b"123"] * 4, ("flatbuffer", b""))
    with Recording(path) as recording:
        assert list(recording.samples()) == []
    assert recording.report.lines() == [
        "/t: 4 messages of type foxglove.RawAudio in flatbuffer encoding were passed over"
    ]


def test_json_without_its_fields(tmp_path: Path) -> None:
    messages: list[tuple[str, str, int, dict[str, Any]]] = [
        ("/mic", "foxglove.RawAudio", BEGIN, {"data": "not base64!", "format": "pcm-s16", "sample_rate": 8000,
                                             "number_of_channels": 1}),
        ("/mic", "foxglove.RawAudio", BEGIN + 1, {"data": b"12", "format": 3, "sample_rate": "8000"}),
        ("/mic", "foxglove.RawAudio", BEGIN + 2, {}),
    ]  # fmt: skip
    with Recording(write_json(tmp_path / "r.mcap", messages)) as recording:
        assert list(recording.samples()) == []
    assert recording.report.failed["/mic"][0] == 3


def test_a_description_that_is_code_is_not_run(tmp_path: Path) -> None:
    """rosbags makes code of descriptions and runs it; the recording's own are not given to it."""
    made = tmp_path / "made"
    text = f"uint8 X=__import__('pathlib').Path({str(made)!r}).touch()\nuint8 x\n"
    path = written(
        tmp_path / "r.mcap",
        "sensor_msgs/msg/Imu",
        "cdr",
        [b"\0\1\0\0" + bytes(400)],
        ("ros2msg", text.encode()),
    )
    with Recording(path) as recording:
        list(recording.samples())
    assert not made.exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sensor_msgs/Image", "sensor_msgs/Image"),
        ("sensor_msgs/msg/Image", "sensor_msgs/Image"),
        ("sensor_msgs::msg::Image", "sensor_msgs/Image"),
        ("foxglove_msgs/msg/CompressedVideo", "foxglove/CompressedVideo"),
        ("foxglove::CompressedVideo", "foxglove/CompressedVideo"),
        ("audio_common_msgs/AudioData", "audio_common_msgs/AudioData"),
        ("my_sensor_msgs/msg/Image", "my_sensor_msgs/msg/Image"),
        ("std_msgs/msg/String", "std_msgs/msg/String"),
        ("", ""),
    ],
)
def test_names_of_types(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize("extra", ["mcap", "rosbags"])
def test_without_the_extra_the_error_says_how_to_get_it(
    extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [Said("/imu", BEGIN, make("sensor_msgs/msg/Imu", 2 if extra == "mcap" else 1))]
    path = write_mcap(tmp_path / "r.mcap", said) if extra == "mcap" else write_bag1(tmp_path / "r.bag", said)
    for name in [name for name in sys.modules if name.partition(".")[0] == extra]:
        monkeypatch.delitem(sys.modules, name)

    class Missing:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name.partition(".")[0] == extra:
                raise ModuleNotFoundError(f"No module named {extra!r}", name=extra)

    monkeypatch.setattr(sys, "meta_path", [Missing, *sys.meta_path])
    with pytest.raises(
        bindrt.Error, match=f"{extra}: recordings need it, and it is not installed; pip install"
    ):
        Recording(path)
