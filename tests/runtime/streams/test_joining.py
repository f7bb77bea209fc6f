"""Joint vectors of several streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bindrt
from support.media import waveform

RATE = 16000


@pytest.fixture(scope="module")
def tiny() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny") as model:
        yield model


def motion(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(round(seconds * 400)) / 400
    return np.sin(np.arange(6)[:, None] + times), times


def test_the_joint_vector_is_the_weighted_sum(tiny: bindrt.Model) -> None:
    wave, (samples, times) = waveform(6.0, 1, RATE), motion(6.1)
    sound = tiny.live("audio", rate=RATE, policy="all", queue=99)
    move = tiny.live("imu", policy="all", queue=99)
    with tiny.join({"sound": sound, "motion": move}, weights={"sound": 0.25}, max_age=1.0) as joint:
        sound.push(wave)
        sound.close(drain=True)
        move.push(samples, times)
    found = list(joint)
    assert [(w.start, w.end, dict(w.ages)) for w in found] == [
        (0.0, 6.0, {"sound": 0.0, "motion": 1.0}),
        (1.0, 6.0, {"sound": 0.0, "motion": 0.0}),
    ]
    vectors = tiny.embed(
        audio=bindrt.Audio(wave[:, 64000:], rate=RATE),
        imu=bindrt.Imu(samples[:, 400:2400], timestamps=times[400:2400]),
    )
    expected = 0.25 * vectors.audio[0] + vectors.imu[0]
    assert np.abs(found[1].vector - expected / np.linalg.norm(expected)).max() < 1e-5
    assert joint.stats() == {"joined": 2, "incomplete": 5, "failed": 0, "unread": 0}


def test_a_part_that_is_too_old_is_not_used(tiny: bindrt.Model) -> None:
    samples, times = motion(5.1)
    sound, move = tiny.live("audio", rate=RATE, policy="all", queue=99), tiny.live("imu")
    with tiny.join({"sound": sound, "motion": move}, max_age=0.5) as joint:
        move.push(samples, times)
        move.close(drain=True)
        sound.push(waveform(8.0, 1, RATE))
    assert [w.end for w in joint] == [5.0]
    assert joint.stats()["incomplete"] == 7


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"streams": {}}, "no live streams"),
        ({"streams": [1]}, "no live streams"),
        ({"streams": {"a": 3}}, "no live streams"),
        ({"weights": {"b": 1.0}}, "no such stream"),
        ({"weights": {"a": -1.0}}, "not a weight"),
        ({"weights": {"a": 0.0}}, "all are 0"),
        ({"max_age": 0}, "max_age=0"),
    ],
)
def test_bad_arguments_are_errors(tiny: bindrt.Model, options: dict[str, Any], text: str) -> None:
    with tiny.live("audio", rate=RATE) as stream, pytest.raises(bindrt.OptionError, match=text):
        tiny.join(**{"streams": {"a": stream}, **options})
