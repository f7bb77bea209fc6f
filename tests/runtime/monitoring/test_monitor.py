"""``bindrt.Monitor``: what windows score, what is an event, and what it does not take."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.monitoring import Event
from support import media

BELL, CAR = "a bell ringing", "a car driving"


@dataclass
class Window:
    vector: Any
    start: float
    end: float


@pytest.fixture(scope="module")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny", engine="onnxruntime") as loaded:
        yield loaded


def axis(model: bindrt.Model, number: int) -> np.ndarray:
    return np.eye(model.embed_dim, dtype=np.float32)[number]


def scoring(model: bindrt.Model, score: float) -> np.ndarray:
    """A vector that scores so much for a prompt along the first axis."""
    return score * axis(model, 0) + math.sqrt(1 - score * score) * axis(model, 1)


def windows(model: bindrt.Model, scores: list[float], length: float = 1.0, hop: float = 1.0) -> list[Window]:
    return [Window(scoring(model, s), i * hop, i * hop + length) for i, s in enumerate(scores)]


def monitor(model: bindrt.Model, **options: Any) -> bindrt.Monitor:
    given = {"on": 0.5, "off": 0.3, "hold": 0.0, "cooldown": 0.0} | options
    return bindrt.Monitor(model, {"it": [axis(model, 0)]}, **given)


def spans(events: Any) -> list[tuple[float, float]]:
    return [(round(event.start, 6), round(event.end, 6)) for event in events]


def test_it_begins_at_on_and_ends_below_off(model: bindrt.Model) -> None:
    found = list(monitor(model).watch(windows(model, [0.4, 0.6, 0.35, 0.8, 0.35, 0.2, 0.4])))
    assert spans(found) == [(1, 5)]
    assert found[0].name == "it"
    assert found[0].peak == 3.5  # the middle of the window that scored most
    assert found[0].score == pytest.approx(0.8, abs=1e-6)


def test_an_event_is_told_as_soon_as_it_is_over(model: bindrt.Model) -> None:
    under_test = monitor(model)
    told = [under_test.push(window) for window in windows(model, [0.6, 0.6, 0.1, 0.6])]
    assert [spans(events) for events in told] == [[], [], [(0, 2)], []]
    assert spans(under_test.active) == [(3 - 0.0, 3.5)]
    assert spans(under_test.finish()) == [(3, 4)]
    assert under_test.active == []
    assert under_test.finish() == []


def test_windows_that_overlap_do_not_lengthen_an_event(model: bindrt.Model) -> None:
    """A window of 2 s each 0.25 s stands for 0.25 s around its middle."""
    found = list(monitor(model).watch(windows(model, [0.1] * 4 + [0.6] * 8 + [0.1] * 4, 2.0, 0.25)))
    assert spans(found) == [(1 + 4 * 0.25 - 0.125, 1 + 12 * 0.25 - 0.125)]


def test_hold(model: bindrt.Model) -> None:
    scores = [0.1, 0.6, 0.1, 0.1, 0.6, 0.6, 0.1, 0.1]
    assert spans(monitor(model, hold=0.5).watch(windows(model, scores, 2.0, 0.25))) == [(1.875, 2.375)]
    assert spans(monitor(model, hold=0.51).watch(windows(model, scores, 2.0, 0.25))) == []
    assert len(spans(monitor(model, hold=0.25).watch(windows(model, scores, 2.0, 0.25)))) == 2


def test_what_was_too_short_needs_no_cooldown(model: bindrt.Model) -> None:
    found = monitor(model, hold=2.0, cooldown=5.0).watch(windows(model, [0.6, 0.1, 0.6, 0.6, 0.1]))
    assert spans(found) == [(2, 4)]


def test_cooldown(model: bindrt.Model) -> None:
    scores = [0.6, 0.1, 0.6, 0.6, 0.6, 0.1, 0.1, 0.1, 0.6]
    assert spans(monitor(model).watch(windows(model, scores))) == [(0, 1), (2, 5), (8, 9)]
    # It rests until 3 s: what goes on then begins there. Then until 7 s.
    assert spans(monitor(model, cooldown=2.0).watch(windows(model, scores))) == [(0, 1), (3, 5), (8, 9)]


def test_on_begin_tells_an_event_that_goes_on(model: bindrt.Model) -> None:
    told: list[Event] = []
    under_test = monitor(model, hold=1.0, on_begin=told.append)
    heard = []
    for window in windows(model, [0.6, 0.7, 0.6, 0.1, 0.6]):
        under_test.push(window)
        heard.append(len(told))
    assert heard == [0, 1, 1, 1, 1]  # once, with the window by whose middle 1 s has passed
    assert (told[0].start, told[0].end) == (0, 1.5)
    assert told[0].score == pytest.approx(0.7, abs=1e-6)


def test_a_pause_ends_an_event(model: bindrt.Model) -> None:
    before, after = windows(model, [0.6, 0.6]), windows(model, [0.6] * 6)[4:]
    assert spans(monitor(model, gap=1.0).watch([*before, *after])) == [(0, 2), (4, 6)]
    assert spans(monitor(model, gap=2.0).watch([*before, *after])) == [(0, 6)]


def test_frames_have_no_length(model: bindrt.Model) -> None:
    found = monitor(model).watch(windows(model, [0.1, 0.6, 0.6, 0.1], length=0.0, hop=0.5))
    assert spans(found) == [(0.25, 1.25)]


def test_a_clock_that_begins_anew(model: bindrt.Model) -> None:
    under_test = monitor(model, cooldown=100.0)
    first = [event for window in windows(model, [0.6, 0.6]) for event in under_test.push(window)]
    again = list(under_test.watch(windows(model, [0.6, 0.1])))
    assert first == []
    assert spans(again) == [(0, 2), (0, 1)]  # nothing rests, for the clock does not tell how long


def test_a_monitor_watches_one_stream_after_the_other(model: bindrt.Model) -> None:
    under_test = monitor(model, cooldown=100.0)
    for _ in range(2):
        assert spans(under_test.watch(windows(model, [0.6, 0.1]))) == [(0, 1)]


def test_margin_is_less_the_nearest_negative(model: bindrt.Model) -> None:
    vector = (0.8 * axis(model, 0) + 0.6 * axis(model, 1)) * 7
    prompts = {"one": axis(model, 0), "other": np.stack([axis(model, 2), axis(model, 1)])}
    assert bindrt.Monitor(model, prompts).scores(vector) == pytest.approx(
        {"one": 0.8, "other": 0.6}, abs=1e-6
    )
    negatives = [axis(model, 3), 0.5 * axis(model, 0) + math.sqrt(0.75) * axis(model, 4)]
    found = bindrt.Monitor(model, prompts, against=negatives).scores(vector)
    assert found == pytest.approx({"one": 0.4, "other": 0.2}, abs=1e-6)


def test_probability_is_that_of_classify(model: bindrt.Model, tmp_path: Path) -> None:
    sound = bindrt.Audio(media.waveform(2.0), rate=media.RATE)
    labels = [BELL, CAR, "a drum"]
    under_test = bindrt.Monitor(model, {"bell": BELL, "car": [CAR]}, against=["a drum"], score="probability")
    found = under_test.scores(model.embed(audio=sound).audio[0])
    wanted = model.classify(audio=sound, labels=labels)[0]
    assert found == pytest.approx({"bell": float(wanted[0]), "car": float(wanted[1])}, abs=1e-5)


def test_prompts_of_every_kind(model: bindrt.Model, tmp_path: Path) -> None:
    picture = media.picture()
    path = tmp_path / "it.png"
    path.write_bytes(media.picture_bytes("PNG", picture))
    sound = bindrt.Audio(media.waveform(2.0), rate=media.RATE)
    text, image, audio = (
        model.embed(text=BELL).text[0],
        model.embed(image=bindrt.Image(picture)).image[0],
        model.embed(audio=sound).audio[0],
    )
    prompts = {
        "text": BELL, "file": path, "wrapper": [bindrt.Image(picture)], "sound": sound,
        "vector": image * 3, "mixed": [BELL, sound, path, axis(model, 0)],
    }  # fmt: skip
    under_test = bindrt.Monitor(model, prompts)
    assert under_test.names == tuple(prompts)
    scores = under_test.scores(image)
    for name in ("file", "wrapper", "vector", "mixed"):
        assert scores[name] == pytest.approx(1, abs=1e-5), name
    assert scores["text"] == pytest.approx(float(text @ image), abs=1e-5)
    assert scores["sound"] == pytest.approx(float(audio @ image), abs=1e-5)
    assert under_test.scores(audio)["mixed"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        ({}, {}, "not a mapping of names"),
        (["a bell"], {}, "not a mapping of names"),
        ({1: "a bell"}, {}, "a name is a text"),
        ({"bell": []}, {}, "it has no prompts"),
        ({"bell": [b"a bell"]}, {}, r"prompts\['bell'\]\[0\]: bytes is not a prompt"),
        ({"bell": 5}, {}, "int is not a list of prompts"),
        ({"bell": np.ones(7)}, {}, "this model's have 96 numbers"),
        ({"bell": np.zeros(96)}, {}, "the vector is zero"),
        ({"bell": np.full(96, np.nan)}, {}, "are NaN or infinite"),
        ({"bell": BELL}, {"against": ["a car", 5]}, r"against\[1\]: int is not a prompt"),
        ({"bell": BELL}, {"on": 0.2, "off": 0.3}, "it is above on"),
        ({"bell": BELL}, {"on": math.nan}, "on=nan"),
        ({"bell": BELL}, {"hold": -1}, "hold=-1: not a time; give a number of seconds of at least 0"),
        ({"bell": BELL}, {"cooldown": "2"}, "cooldown='2'"),
        ({"bell": BELL}, {"gap": -0.1}, "gap=-0.1"),
        ({"bell": BELL}, {"score": "cosine"}, "use margin or probability"),
        ({"bell": BELL}, {"score": "probability"}, "nothing to choose from"),
        ({"bell": BELL}, {"on_begin": 5}, "it cannot be called"),
    ],
)
def test_what_it_does_not_take(model: bindrt.Model, prompts: Any, options: Any, message: str) -> None:
    with pytest.raises(bindrt.Error, match=message):
        bindrt.Monitor(model, prompts, **options)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (Window(np.ones(3), 0, 1), "this model's have 96 numbers"),
        (Window(np.full(96, np.nan, np.float32), 0, 1), "NaN"),
        (Window(np.ones(96), 2, 1), "from 2 to 1"),
        (Window(np.ones(96), math.nan, 1), "from nan to 1"),
        (object(), "no times"),
    ],
)
def test_windows_that_are_none(model: bindrt.Model, window: Any, message: str) -> None:
    under_test = monitor(model)
    under_test.push(windows(model, [0.6])[0])
    with pytest.raises(bindrt.InputError, match=message):
        under_test.push(window)
    assert spans(under_test.finish()) == [(0, 1)]  # the bad window changed nothing
