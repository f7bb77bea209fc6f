"""Two peers of Zenoh on loopback: the example, and a robot that publishes and hears what comes back.

``python -m support.zenoh_peers FOLDER`` prints as JSON what the robot heard. It is a process of its own, so
that Zenoh's threads do not live on in that of the tests.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zenoh

import bindrt
from support import media
from support.pages import ROOT
from support.recordings import BEGIN, SECOND, make, store
from tiny.world import SOUND_RATE, sample, sound

sys.path.insert(0, str(ROOT / "examples" / "zenoh"))
import embed

PATIENCE = 120.0  # seconds; nothing here takes one
ROS_KEY = "0/imu/sensor_msgs::msg::dds_::Imu_/RIHS01_00"
#: How many vectors come back of each key.
WINDOWS = {"robot/mic": 9, "robot/front/imu": 4, ROS_KEY: 4}
KEYS = ("robot/ping=image", "robot/mic=audio", "robot/*/imu=imu", "0/**=imu", "robot/strange=image")
SOUND, MOTION = "audio_common_msgs/msg/AudioDataStamped", "sensor_msgs/msg/Imu"

Heard = list[tuple[str, Any]]


def main(folder: Path) -> None:
    (folder / "sounds.txt").write_text("bell: a bell ringing\nagainst: a car driving\n")
    words = [*KEYS, "--info", "robot/audio_info", "--prompts", str(folder / "sounds.txt"), "--hop", "0.5"]
    words += ["--window", "2", "--policy", "all", "--queue", "1000", "--no-scouting", "--reliable"]
    args, session, port = listening(words)
    end = threading.Event()
    work = threading.Thread(target=embed.run, args=(args, session, end))
    work.start()
    heard: Heard = []
    with zenoh.open(configuration(port)) as robot:
        ears = robot.declare_subscriber("bindrt/**", lambda one: heard.append((str(one.key_expr), read(one))))
        wait_until_heard(robot, heard)
        publish_all(robot)
        wait_until(lambda: all(vectors(heard, key) == number for key, number in WINDOWS.items()), heard)
        end.set()
        work.join()  # the event that went on has ended
        wait_until(lambda: any(key == "bindrt/events" for key, _ in heard), heard)
        ears.undeclare()
    session.close()
    print(json.dumps(heard))


def listening(words: list[str]) -> tuple[Any, Any, int]:
    """The example's options and session, on a port that nobody else took in the meantime."""
    for _ in range(20):
        port = free_port()
        args = embed.parser().parse_args([*words, "--listen", f"tcp/127.0.0.1:{port}"])
        try:
            return args, embed.opened(args), port
        except bindrt.OptionError as error:
            last = error
    raise last


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def configuration(port: int) -> Any:
    """It finds nobody by multicast, and tries again until the example listens."""
    config = zenoh.Config()
    config.insert_json5("connect/endpoints", json.dumps([f"tcp/127.0.0.1:{port}"]))
    config.insert_json5("connect/timeout_ms", json.dumps(round(1000 * PATIENCE)))
    config.insert_json5("scouting/multicast/enabled", "false")
    return config


def wait_until_heard(robot: Any, heard: Heard) -> None:
    """Shows pictures until a vector comes back: from then on the two know each other's subscriptions."""
    jpeg = media.picture_bytes("JPEG", media.picture(64, 48))
    publisher = connected(robot, "robot/ping")

    def has_answered() -> bool:
        publisher.put(jpeg, encoding="image/jpeg")
        return vectors(heard, "robot/ping") > 0

    wait_until(has_answered, heard)


def publish_all(robot: Any) -> None:
    connected(robot, "robot/strange").put(b"?", encoding="application/cdr;robot_msgs/msg/Mood")
    bell = sample(8_000_000, ("bell",), "test")
    info = {"channels": 1, "sample_rate": SOUND_RATE, "sample_format": "S16LE"}
    publish(robot, "robot/audio_info", [make("audio_common_msgs/msg/AudioInfo", **info)])
    counts, block = np.rint(sound(bell, 6.0) * 32767).astype("<i2"), SOUND_RATE // 10
    blocks = [counts[at : at + block].view(np.uint8) for at in range(0, 60 * block, block)]
    publish(robot, "robot/mic", [make(SOUND, audio__data=b, **stamp(i / 10)) for i, b in enumerate(blocks)])
    moves = [make(MOTION, **stamp(i / 100)) for i in range(355)]
    publish(robot, "robot/front/imu", moves)
    publish(robot, ROS_KEY, moves, schema=False)


def publish(robot: Any, key: str, messages: list[Any], schema: bool = True) -> None:
    publisher = connected(robot, key)
    for message in messages:
        kind = message.__msgtype__
        data = bytes(store(2).serialize_cdr(message, kind))
        publisher.put(data, encoding=f"application/cdr;{kind}" if schema else "zenoh/bytes")


def connected(robot: Any, key: str) -> Any:
    """A publisher whose subscriber is there."""
    publisher = robot.declare_publisher(key, congestion_control=zenoh.CongestionControl.BLOCK)
    wait_until(lambda: publisher.matching_status, [])
    return publisher


def wait_until(holds: Callable[[], object], heard: Heard) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"heard {[key for key, _ in heard]}")
        time.sleep(0.02)


def vectors(heard: Heard, key: str) -> int:
    return sum(one == f"bindrt/{key}/vector" for one, _ in heard)


def read(answer: Any) -> Any:
    """What came back, as JSON has it."""
    if not str(answer.key_expr).endswith("/vector"):
        return json.loads(answer.payload.to_string())
    numbers = np.frombuffer(answer.payload.to_bytes(), "<f4").tolist()
    return {"encoding": str(answer.encoding), "vector": numbers, **json.loads(answer.attachment.to_string())}


def stamp(seconds: float) -> dict[str, int]:
    return {"stamp": BEGIN + round(seconds * SECOND)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
