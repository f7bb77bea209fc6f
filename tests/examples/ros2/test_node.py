"""The ROS 2 node, run against a stand-in of rclpy (support.ros), not on a ROS installation."""

from __future__ import annotations

import array
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support import media
from support.ros.bus import Bus, DurabilityPolicy, QoSProfile, ReliabilityPolicy
from support.ros.installing import MultiThreadedExecutor, install
from support.ros.messages import message_type
from support.ros.nodes import Parameter, TransitionCallbackReturn
from tiny.world import SOUND_RATE, sample
from tiny.world import sound as sound_of

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
SECOND = 10**9
BEGIN = 1_700_000_000


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    return install(monkeypatch)


Make = Callable[..., Any]


@pytest.fixture
def make(bus: Bus) -> Iterator[Make]:
    """Makes nodes with parameters; at the end they are released."""
    made = []

    def node(**values: Any) -> Any:
        usual = {"engine": "onnxruntime", "policy": "all", "queue": 10_000}
        overrides = [Parameter(name, value=value) for name, value in {**usual, **values}.items()]
        made.append(import_module("bindrt_ros2.node").EmbedNode(parameter_overrides=overrides))
        return made[-1]

    yield node
    for each in made:
        each.release()


def header(seconds: float, frame: str = "") -> Any:
    stamp = message_type("builtin_interfaces/msg/Time")(
        sec=BEGIN + int(seconds), nanosec=round(seconds % 1 * SECOND)
    )
    return message_type("std_msgs/msg/Header")(stamp=stamp, frame_id=frame)


def picture_message(seconds: float, pixels: np.ndarray, encoding: str = "rgb8") -> Any:
    return message_type("sensor_msgs/msg/Image")(
        header=header(seconds, "camera_link"), height=len(pixels), width=pixels.shape[1], encoding=encoding,
        step=pixels.nbytes // len(pixels), data=array.array("B", pixels.tobytes()),
    )  # fmt: skip


def imu_message(seconds: float) -> Any:
    return message_type("sensor_msgs/msg/Imu")(header=header(seconds, "imu_link"))


def send_sound(bus: Bus, samples: np.ndarray, topic: str = "/mic/audio_stamped") -> int:
    """Blocks of a tenth of a second; how many were taken."""
    counts, taken = np.rint(samples * 32767).astype("<i2"), 0
    block = SOUND_RATE // 10
    for i in range(len(counts) // block):
        data = array.array("B", counts[i * block : (i + 1) * block].tobytes())
        audio = message_type("audio_common_msgs/msg/AudioData")(data=data)
        cls = message_type("audio_common_msgs/msg/AudioDataStamped")
        taken += bus.send(topic, cls(header=header(i / 10, "mic_link"), audio=audio))
    return taken


def audio_info() -> Any:
    return message_type("audio_common_msgs/msg/AudioInfo")(
        channels=1, sample_rate=SOUND_RATE, sample_format="S16LE", coding_format="wave"
    )


def wait_until(holds: Callable[[], bool]) -> None:
    """Threads of the streams take their time, however long that is."""
    for _ in range(6000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to pass in a minute")


def drained(node: Any) -> None:
    """Finishes what was pushed; then deactivates."""
    node.topics.close(drain=True)
    assert node.trigger_deactivate() is SUCCESS


def record(message: Any) -> np.void:
    """A vector's message read as its own fields say, as any reader of PointCloud2 does."""
    kinds = {6: "<u4", 7: "<f4", 8: "<f8"}
    names = [field.name for field in message.fields]
    layout = {
        "names": names,
        "formats": [
            (kinds[f.datatype], (f.count,)) if f.count > 1 else kinds[f.datatype] for f in message.fields
        ],
        "offsets": [field.offset for field in message.fields],
        "itemsize": message.point_step,
    }
    return np.frombuffer(message.data.tobytes(), np.dtype(layout))[0]


def joint_status(bus: Bus) -> Any:
    """What the diagnostics say now of the joint vectors."""
    bus.fire_timers()
    return {status.hardware_id: status for status in bus.sent["/diagnostics"][-1].status}["joint"]


def test_vectors_scores_and_events_of_a_microphone(bus: Bus, make: Make, tmp_path: Path) -> None:
    bell, car = (
        sound_of(sample(8_000_000 + i, (kind,), "test"), 6.0) for i, kind in enumerate(("bell", "car"))
    )
    heard = np.concatenate([car, bell, car])
    prompts = tmp_path / "sounds.txt"
    prompts.write_text("bell: a bell ringing\nagainst: a car driving\n")
    node = make(topics=["/mic/audio_stamped=audio"], prompts=str(prompts), hop=0.5)
    assert node.trigger_configure() is SUCCESS
    assert bus.subscriptions == []
    bus.send(
        "/mic/audio_info", audio_info(), QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    )
    assert node.trigger_activate() is SUCCESS
    assert send_sound(bus, heard) == 180
    drained(node)
    vectors = bus.sent["/bindrt/mic/audio_stamped/vector"]
    found = [record(message) for message in vectors]
    assert [r["end"] - r["start"] for r in found] == pytest.approx([2.0] * 33)
    assert [(m.header.stamp.sec - BEGIN) + m.header.stamp.nanosec / SECOND for m in vectors] == pytest.approx(
        [2 + i / 2 for i in range(33)], abs=1e-3
    )
    assert {m.header.frame_id for m in vectors} == {"mic_link"}
    counts = np.rint(heard * 32767) / 32767
    with bindrt.load("tiny", engine="onnxruntime") as model:
        cut = counts[6 * SOUND_RATE : 8 * SOUND_RATE].astype(np.float32)
        want = model.embed(audio=bindrt.Audio(cut, rate=SOUND_RATE)).audio[0]
    np.testing.assert_allclose(found[12]["vector"], want, atol=1e-4)
    scores = bus.sent["/bindrt/mic/audio_stamped/scores"]
    assert [[r.class_id for r in m.results] for m in scores] == [["bell"]] * 33
    told = [(status.name, status.message) for m in bus.sent["/bindrt/events"] for status in m.status]
    assert told == [("bell", "began"), ("bell", "ended")]
    values = {v.key: float(v.value) for v in bus.sent["/bindrt/events"][1].status[0].values}
    assert values["start"] - BEGIN == pytest.approx(6, abs=1.0)
    assert values["end"] - BEGIN == pytest.approx(12, abs=1.0)
    assert bus.sent["/bindrt/events"][1].status[0].hardware_id == "/mic/audio_stamped"


def test_the_joint_vector_of_two_topics(bus: Bus, make: Make, tmp_path: Path) -> None:
    prompts = tmp_path / "sounds.txt"
    prompts.write_text("bell: a bell ringing\nagainst: a car driving\n")
    node = make(
        topics=["/mic/audio_stamped=audio", "/imu/data=imu"],
        joint=["/mic/audio_stamped", "/imu/data=0.5"],
        joint_max_age=1.5,
        window=2.0,
        prompts=str(prompts),
    )
    node.trigger_configure()
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    bus.send("/mic/audio_info", audio_info(), qos)
    node.trigger_activate()
    for i in range(210):
        bus.send("/imu/data", imu_message(i / 100))
    wait_until(lambda: joint_status(bus).message == "a part is missing or too old")
    send_sound(bus, sound_of(sample(8_000_000, ("bell",), "test"), 5.0))
    node.topics.close(drain=True)
    assert [joint_status(bus).message for _ in range(2)] == ["vectors come", "no window came"]
    motion = record(bus.sent["/bindrt/imu/data/vector"][0])["vector"]
    sounds = [record(message)["vector"] for message in bus.sent["/bindrt/mic/audio_stamped/vector"]]
    joint = [record(message) for message in bus.sent["/bindrt/joint/vector"]]
    # The motion ended at 2 s: it is too old for the sounds that end at 4 and 5 s.
    assert [r["end"] - BEGIN for r in joint] == pytest.approx([2.0, 3.0], abs=0.02)
    np.testing.assert_allclose([r["ages"] for r in joint], [[0.0, 0.0], [0.0, 1.0]], atol=0.02)
    for found, sound in zip(joint, sounds, strict=False):
        total = sound + 0.5 * motion
        np.testing.assert_allclose(found["vector"], total / np.linalg.norm(total), atol=1e-6)
    assert len(bus.sent["/bindrt/joint/scores"]) == 2
    told = {v.key: v.value for v in joint_status(bus).values}
    assert told == {"joined": "2", "incomplete": "3", "failed": "0"}


def test_every_modality_of_pictures_and_motion(bus: Bus, make: Make) -> None:
    node = make(
        topics=[
            "/camera/image_raw=image",
            "/camera/image_raw/compressed=video",
            "/depth/image_rect_raw=depth",
            "/heat=thermal,low=0,high=255",
            "/imu/data=imu",
        ],
        window=1.0,
    )
    assert node.trigger_configure() is SUCCESS
    assert node.trigger_activate() is SUCCESS
    pixels = media.picture(64, 48)
    counts, jpeg = pixels[:, :, 0].astype("<u2") * 10, media.picture_bytes("JPEG", pixels)
    info = message_type("sensor_msgs/msg/CameraInfo")(width=64, k=[50.0, *[0.0] * 8], p=[50.0, *[0.0] * 11])
    bus.send("/depth/camera_info", info)
    for i in range(25):
        bus.send("/camera/image_raw", picture_message(i / 10, pixels))
        bus.send(
            "/camera/image_raw/compressed",
            message_type("sensor_msgs/msg/CompressedImage")(header=header(i / 10), format="jpeg", data=jpeg),
        )
        bus.send("/depth/image_rect_raw", picture_message(i / 10, counts, "16UC1"))
        bus.send("/heat", picture_message(i / 10, pixels[:, :, 0], "mono8"))
    for i in range(250):
        bus.send("/imu/data", imu_message(i / 100))
    node.topics.close(drain=True)
    told = node.topics.stats()
    assert {name: one["modality"] for name, one in told.items()} == {
        "/camera/image_raw": "image", "/camera/image_raw/compressed": "video",
        "/depth/image_rect_raw": "depth",
        "/heat": "thermal", "/imu/data": "imu",
    }  # fmt: skip
    assert {name: len(bus.sent[f"/bindrt{name}/vector"]) for name in told} == {
        "/camera/image_raw": 3, "/camera/image_raw/compressed": 2, "/depth/image_rect_raw": 3, "/heat": 3,
        "/imu/data": 2,
    }  # fmt: skip
    with bindrt.load("tiny", engine="onnxruntime") as model:
        want = model.embed(depth=bindrt.Depth(counts, focal=50.0)).depth[0]
    np.testing.assert_allclose(
        record(bus.sent["/bindrt/depth/image_rect_raw/vector"][0])["vector"], want, atol=1e-4
    )


def test_the_states_of_a_managed_node(bus: Bus, make: Make) -> None:
    node = make(topics=["/imu/data=imu"])
    assert bus.send("/imu/data", imu_message(0)) == 0
    assert node.trigger_configure() is SUCCESS
    assert node.model is not None
    assert bus.send("/imu/data", imu_message(0)) == 0
    for _ in range(2):
        assert node.trigger_activate() is SUCCESS
        assert len(bus.timers) == 1
        assert bus.send("/imu/data", imu_message(0)) == 1
        assert node.trigger_deactivate() is SUCCESS
        assert (bus.subscriptions, bus.timers, node.topics) == ([], [], None)
    assert node.trigger_cleanup() is SUCCESS
    assert (node.model, node.publishers) == (None, [])
    assert node.trigger_configure() is SUCCESS
    assert node.trigger_activate() is SUCCESS
    model = node.model
    assert node.trigger_shutdown() is SUCCESS
    assert (bus.subscriptions, node.publishers, node.model) == ([], [], None)
    with pytest.raises(bindrt.ClosedError):
        model.embed(text="a bell ringing")


def test_what_is_unforeseen_frees_everything(bus: Bus, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    node = make(topics=["/imu/data=imu"])
    assert node.trigger_configure() is SUCCESS
    monkeypatch.setattr(node, "create_timer", lambda *_, **__: 1 / 0)
    assert node.trigger_activate() is TransitionCallbackReturn.ERROR
    assert (node.state, bus.subscriptions, node.model) == ("unconfigured", [], None)


def test_sensors_that_are_best_effort_reach_it(bus: Bus, make: Make) -> None:
    node = make(topics=["/imu/data=imu"], qos_depth=7)
    node.trigger_configure()
    node.trigger_activate()
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    assert bus.send("/imu/data", imu_message(0), qos) == 1
    assert bus.subscriptions[0].qos.depth == 7


def test_diagnostics_tell_what_a_topic_lacks(bus: Bus, make: Make) -> None:
    node = make(topics=["/imu/data=imu", "/cam=image", "/mic/audio_stamped=audio", "/silent=depth,focal=1"])
    node.trigger_configure()
    node.trigger_activate()
    bus.types["/silent"].add("sensor_msgs/msg/CompressedImage")
    for i in range(700):
        bus.send("/imu/data", imu_message(i / 100 if i < 600 else i / 100 - 300))
    broken = picture_message(0, media.picture(64, 48))
    broken.step = 1
    bus.send("/cam", broken)
    send_sound(bus, np.zeros(SOUND_RATE, np.float32))
    wait_until(lambda: node.topics.stats()["/imu/data"]["restarts"] == 1)
    bus.fire_timers()
    bus.fire_timers()
    first, second = ({s.hardware_id: s for s in m.status} for m in bus.sent["/diagnostics"])
    assert first["/imu/data"].message == "the clock began anew"
    assert first["/imu/data"].level == b"\x01"
    assert first["/cam"].message.startswith("messages could not be read: its step is 1 bytes")
    assert first["/cam"].level == b"\x02"
    assert first["/mic/audio_stamped"].message == "messages wait for a CameraInfo or AudioInfo"
    assert first["/silent"].message == (
        "no message came: it has sensor_msgs/msg/CompressedImage; "
        "set the parameter types to /silent=sensor_msgs/msg/CompressedImage"
    )
    assert {s.level for s in second.values()} == {b"\x03"}
    values = {v.key: v.value for v in first["/imu/data"].values}
    assert {"dropped", "windows_lost", "staleness_count", "restarts", "clock_drift"} <= set(values)
    assert values["restarts"] == "1"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"topics": [""]}, "parameter topics: it names none"),
        ({"topics": ["/imu/data"]}, "topic /imu/data: no modality of a sensor; for example /imu/data=imu"),
        ({"topics": ["/imu/data=smell"]}, "'smell' is no modality"),
        ({"policy": "newest"}, "policy newest: unknown; one of latest, even, all"),
        ({"bundle": "none.bind"}, "none.bind"),
        ({"prompts": "none.txt"}, "none.txt"),
        ({"types": ["/imu/data"]}, "types /imu/data: not TOPIC=TYPE"),
        ({"device": "tpu"}, "tpu"),
        ({"joint": ["/imu/data"]}, "parameter joint: it names one topic"),
        ({"joint": ["/mic"]}, "joint /mic: no such topic; one of /imu/data"),
        ({"joint": ["/imu/data=heavy"]}, "joint /imu/data=heavy: not TOPIC=WEIGHT"),
        ({"joint": ["/imu/data=-1"]}, "joint /imu/data=-1: not a weight"),
        ({"topics": ["/joint=imu"], "joint": ["/joint"]}, "topic joint: joint vectors have this name"),
    ],
)
def test_parameters_that_cannot_be(bus: Bus, make: Make, values: dict[str, Any], problem: str) -> None:
    node = make(**{"topics": ["/imu/data=imu"], **values})
    assert node.trigger_configure() is FAILURE
    assert (node.state, node.model) == ("unconfigured", None)
    assert problem in bus.log[-1][1]
    assert bus.log[-1][0] == "error"


def test_a_type_that_is_not_read(bus: Bus, make: Make) -> None:
    node = make(topics=["/imu/data=imu"], types=["/imu/data=strange_msgs/msg/Imu"])
    assert node.trigger_configure() is SUCCESS
    assert node.trigger_activate() is FAILURE
    assert (node.state, bus.subscriptions) == ("inactive", [])
    assert "strange_msgs/msg/Imu" in bus.log[-1][1]


def test_a_package_of_messages_that_is_not_installed(
    bus: Bus, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "audio_common_msgs.msg", None)
    node = make(topics=["/mic=audio"])
    assert node.trigger_configure() is SUCCESS
    assert node.trigger_activate() is FAILURE
    assert bus.log[-1][1].endswith("apt install ros-$ROS_DISTRO-audio-common-msgs")


def test_a_failing_window_is_logged(bus: Bus, make: Make) -> None:
    node = make(topics=["/cam=image"])
    node.trigger_configure()
    node.trigger_activate()

    class Window:
        error = bindrt.InputError("frame", "it is broken")

    node.outputs.publish("/cam", "image", Window())
    assert bus.log[-1] == ("warning", "/cam: frame: it is broken")


def test_messages_of_several_threads(bus: Bus, make: Make) -> None:
    """As the executor hands them over: topics side by side, those of one topic in turn."""
    names = [f"/cam{i}" for i in range(3)]
    node = make(topics=[f"{name}=image" for name in names], hop=0.05)
    node.trigger_configure()
    node.trigger_activate()
    pixels = media.picture(64, 48)

    def send(name: str, begin: int) -> None:
        for i in range(20):
            bus.send(name, picture_message(begin + i / 10, pixels))

    threads = [threading.Thread(target=send, args=(name, 0)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drained(node)
    assert [len(bus.sent[f"/bindrt{name}/vector"]) for name in names] == [20, 20, 20]


def test_main_spins_until_it_is_interrupted(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("bindrt_ros2.node")
    module.main()
    assert [node.name for node in MultiThreadedExecutor.nodes] == ["bindrt"]
    assert bus.subscriptions == []
