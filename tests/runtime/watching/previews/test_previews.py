"""What sensors give, as pictures and curves."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt.errors import InputError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.watching.previews import Preview, preview_of
from bindrt.watching.previews import picture as picture_module


@pytest.fixture(autouse=True)
def every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_module, "_APART", 0.0)


def preview(*items: Any, limits: Limits = DEFAULT_LIMITS) -> Preview:
    made = preview_of(items[0])(limits)
    for item in items:
        made.take(item)
    return made


def pixels(*items: Any) -> np.ndarray:
    """What the browser shows, int ``[H, W, 3]``."""
    kind, data = preview(*items).render() or ("", b"")
    assert kind == "image/jpeg"
    return np.asarray(PIL.Image.open(io.BytesIO(data))).astype(int)


RED = np.zeros((40, 60, 3), np.uint8)
RED[:] = (200, 20, 20)


def as_png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "item",
    [
        bindrt.Image(RED),
        bindrt.Image(RED[:, :, ::-1], layout="BGR"),
        bindrt.Image(np.dstack([RED, np.full((40, 60), 255, np.uint8)])),
        bindrt.Image(as_png(RED)),
        bindrt.Image(PIL.Image.fromarray(RED)),
        lambda: bindrt.Image(RED),
    ],
)
def test_images(item: Any) -> None:
    shown = pixels(item)
    assert shown.shape == (40, 60, 3)
    assert np.abs(shown - (200, 20, 20)).max() < 12


def test_grey_and_large_images() -> None:
    assert pixels(bindrt.Image(np.full((2000, 3000), 90, np.uint8))).shape == (320, 480, 3)
    assert np.abs(pixels(bindrt.Image(np.full((8, 8), 90, np.uint8))) - 90).max() < 4


def test_only_the_newest_is_shown_and_it_is_a_copy() -> None:
    frame = RED.copy()
    shown = preview(bindrt.Image(np.zeros_like(RED)), bindrt.Image(frame))
    frame[:] = 0
    _, data = shown.render() or ("", b"")
    assert np.asarray(PIL.Image.open(io.BytesIO(data)))[0, 0, 0] > 150
    assert shown.version == 2


def test_frames_that_come_too_fast_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_module, "_APART", 1000.0)
    assert preview(bindrt.Image(RED), bindrt.Image(RED)).version == 1


def test_it_is_made_once_for_all_who_look() -> None:
    calls = []
    shown = preview(lambda: calls.append(1) or bindrt.Image(RED))
    assert shown.render() == shown.render()
    assert len(calls) == 1


def test_near_is_brighter_than_far_and_what_was_not_seen_is_black() -> None:
    metres = np.repeat([[1.0, 3.0, 0.0, np.nan]], 40, 0).repeat(20, 1)
    shown = pixels(bindrt.Depth(metres)).sum(axis=2)
    near, far, *unseen = (shown[20, 10 + 20 * i] for i in range(4))
    assert near > far > max(unseen)
    disparity = pixels(bindrt.Depth(metres, unit="disparity")).sum(axis=2)
    assert disparity[20, 30] > disparity[20, 10]


def test_warm_is_brighter_than_cold() -> None:
    counts = np.repeat([[2000, 3000]], 40, 0).repeat(20, 1).astype(np.uint16)
    whole = pixels(bindrt.Thermal(counts, percentiles=(1, 99))).sum(axis=2)
    assert whole[20, 30] > whole[20, 10]
    ranged = pixels(bindrt.Thermal(counts, low=0, high=10_000)).sum(axis=2)
    assert whole[20, 30] > ranged[20, 30] > ranged[20, 10]


def test_a_sound_is_a_spectrogram_of_its_last_two_seconds() -> None:
    t = np.arange(16000 * 4) / 16000
    sound = np.where(t < 2, 0.0, 0.5 * np.sin(2 * np.pi * 500 * t)).astype(np.float32)
    blocks = [bindrt.Audio(block, rate=16000) for block in np.split(sound, 40)]
    shown = pixels(*blocks).sum(axis=2)
    assert shown.shape == (256, 396)
    row = shown[:, 100:300].mean(axis=1)
    assert row.argmax() > 128, "500 Hz is in the lower half"
    assert row.max() > 3 * row[10:40].mean()
    early = pixels(*blocks[:30]).sum(axis=2)  # one second of silence, one of sound
    assert early[row.argmax(), 300:400].mean() > 2 * early[row.argmax(), 20:150].mean()


def test_a_sound_of_another_form_begins_anew() -> None:
    loud = np.sin(np.arange(32000) / 5)
    of_two = bindrt.Audio(np.zeros((2, 4800), np.int16), rate=48000)
    assert np.array_equal(pixels(bindrt.Audio(loud, rate=16000), of_two), pixels(of_two))


def motion(*items: Any) -> dict[str, Any]:
    kind, data = preview(*items).render() or ("", b"")
    assert kind == "application/json"
    found: dict[str, Any] = json.loads(data)
    return found


def test_motion_is_six_curves_of_its_last_five_seconds() -> None:
    t = np.arange(4000) / 400
    pieces = [
        bindrt.Imu(np.stack([t + i for i in range(6)])[:, at : at + 50], timestamps=t[at : at + 50])
        for at in range(0, 4000, 50)
    ]
    said = motion(*pieces)
    assert said["seconds"] == 5.0
    assert len(said["rows"]) == 6
    assert len(said["ago"]) == len(said["rows"][0]) == 200
    assert said["ago"][-1] == 0.0
    assert 4.8 < said["ago"][0] <= 5.2
    assert said["rows"][3][-1] == pytest.approx(t[-1] + 3, abs=1e-3)


def test_motion_by_its_rate_and_of_one_sensor() -> None:
    samples = np.full((6, 100), 2.0)
    samples[3:] = np.nan
    said = motion(bindrt.Imu(samples, rate=100), bindrt.Imu(samples, rate=100))
    assert said["ago"][0] == pytest.approx(1.99)
    assert (set(said["rows"][0]), set(said["rows"][3])) == ({2.0}, {None})


def test_motion_whose_clock_goes_back_begins_anew() -> None:
    late, early = (bindrt.Imu(np.ones((6, 1)) * t, timestamps=[t]) for t in (100.0, 3.0))
    assert motion(late, early)["rows"][0] == [3.0]


@pytest.mark.parametrize(
    "item",
    [
        "photo.jpg",
        bindrt.Audio("bell.wav"),
        bindrt.Audio(np.zeros((2, 2, 2)), rate=16000),
        bindrt.Imu(np.zeros((3, 10)), rate=100),
        bindrt.Imu(np.zeros((6, 10))),
        bindrt.Imu(np.zeros((6, 10)), timestamps=np.full(10, np.nan)),
    ],
)
def test_what_cannot_be_shown(item: Any) -> None:
    with pytest.raises(InputError):
        preview(item)


@pytest.mark.parametrize(
    "item",
    [
        bindrt.Image(b"no picture"),
        bindrt.Image(np.zeros((4, 4, 3))),
        lambda: "text",
        bindrt.Depth(np.zeros((2, 2, 2))),
    ],
)
def test_what_cannot_be_drawn(item: Any) -> None:
    with pytest.raises(InputError):
        preview(item).render()


def test_pictures_meet_the_limits() -> None:
    with pytest.raises(bindrt.LimitError):
        preview(bindrt.Image(as_png(RED)), limits=Limits(max_pixels=100)).render()
    with pytest.raises(bindrt.LimitError):
        preview(bindrt.Image(RED), limits=Limits(max_pixels=100)).render()
