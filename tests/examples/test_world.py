"""The synthetic world: the same from a seed, one set of parameters behind every modality."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bindrt
from tiny.world import (
    KINDS,
    SOUND_RATE,
    Scene,
    caption,
    depth_map,
    frames,
    motion,
    picture,
    sample,
    sound,
    thermal_frame,
    write_files,
)
from tiny.world.scene import TRAINED, UNSEEN

ALL = tuple(KINDS)


def changed(scene: Scene, **event: float) -> Scene:
    return replace(scene, events=(replace(scene.events[0], **event),))  # type: ignore[arg-type]


def beat(wave: np.ndarray) -> float:
    """Strongest periodicity of the loudness, in Hz."""
    loud = np.abs(wave[: len(wave) // 100 * 100]).reshape(-1, 100).mean(axis=1)
    spectrum = np.abs(np.fft.rfft(loud - loud.mean(), 1 << 14))
    hertz = np.fft.rfftfreq(1 << 14, 100 / SOUND_RATE)
    return float(hertz[np.argmax(spectrum * (hertz > 0.4) * (hertz < 8))])


def pitch(wave: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(wave))) * SOUND_RATE / len(wave))


def test_there_are_enough_kinds() -> None:
    assert len(KINDS) >= 12


@pytest.mark.parametrize("kind", ALL)
def test_a_seed_gives_the_same_everywhere(kind: str) -> None:
    first, second, other = sample(5, (kind,)), sample(5, (kind,)), sample(6, (kind,))
    assert first == second != other
    for render in (picture, depth_map, thermal_frame, sound, motion):
        assert np.array_equal(render(first), render(second))  # type: ignore[operator]
        assert not np.array_equal(render(first), render(other))  # type: ignore[operator]


@pytest.mark.parametrize("kind", ALL)
def test_views_show_the_event(kind: str) -> None:
    """Each camera sees something at the event's place that the empty scene does not have."""
    scene = sample(11, (kind,))
    empty = replace(scene, events=())
    for render, least in ((picture, 8.0), (depth_map, 100.0), (thermal_frame, 3.0)):
        gap = np.abs(render(scene).astype(np.float64) - render(empty).astype(np.float64))  # type: ignore[operator]
        assert (gap > least).mean() > 0.01, render.__name__
    shots = frames(scene)
    assert len(shots) == 24
    assert len({shot.tobytes() for shot in shots}) == 24


def test_large_things_sound_lower_and_fast_ones_beat_faster() -> None:
    bell, ball = sample(3, ("bell",)), sample(3, ("ball",))
    assert pitch(sound(changed(bell, size=1.2))) < 0.8 * pitch(sound(changed(bell, size=0.7)))
    slow, fast = (beat(sound(changed(ball, speed=s), 6.0)) for s in (0.7, 1.4))
    assert fast == pytest.approx(2 * slow, rel=0.12)


def test_large_and_near_things_look_larger_and_near_ones_are_nearer() -> None:
    scene = changed(sample(4, ("drum",)), distance=3.0)
    distances = []
    for placed in (scene, changed(scene, distance=1.5)):
        drum = np.abs(depth_map(placed).astype(int) - depth_map(replace(placed, events=())).astype(int)) > 300
        distances.append(np.median(depth_map(placed)[drum]) / 1000)
    assert distances == pytest.approx([1.8, 0.9], rel=0.1)  # the depth camera stands nearer
    hot = [int((thermal_frame(changed(sample(2, ("fire",)), size=s)) > 250).sum()) for s in (0.7, 1.2)]
    assert hot[1] > 1.5 * hot[0]


@pytest.mark.parametrize("kind", ALL)
def test_captions_say_more_than_the_class(kind: str) -> None:
    scene = sample(8, (kind,))
    texts = {caption(scene, i) for i in range(40)}
    assert len(texts) > 10
    for text in texts:
        assert any(name in text for name in KINDS[kind].names)
        assert len(text.split()) >= 3
        assert "  " not in text


def test_two_events_are_both_said_and_seen() -> None:
    scene = sample(9, ("ball", "bell"))
    text = caption(scene, 0)
    assert any(n in text for n in KINDS["ball"].names)
    assert any(n in text for n in KINDS["bell"].names)
    assert {e.place for e in scene.events} == {"left", "right"}


def test_unseen_ranges_are_unseen() -> None:
    for name, (trained,) in TRAINED.items():
        for low, high in UNSEEN[name]:
            assert high < trained[0] or low > trained[1]
    for seed in range(50):
        event = sample(seed, ("car",), "shifted").events[0]
        low, high = TRAINED["speed"][0]
        assert not low <= event.speed <= high
    assert sample(1, ("car",), "test") != sample(1, ("car",), "train")


def test_files_are_read_by_the_product(tmp_path: Path) -> None:
    scene = sample(2, ("train",), "test")
    files = write_files(scene, tmp_path, "x")
    shown = bindrt.preprocess.image(picture(scene))
    assert np.abs(bindrt.preprocess.image(files["image"]) - shown).mean() < 0.15
    assert bindrt.preprocess.video(files["video"]).shape == (15, 3, 2, 224, 224)
    heard = bindrt.preprocess.audio(bindrt.Audio(sound(scene), rate=SOUND_RATE))
    assert np.abs(bindrt.preprocess.audio(files["audio"]) - heard).mean() < 0.02
    assert np.array_equal(bindrt.preprocess.depth(files["depth"]), bindrt.preprocess.depth(depth_map(scene)))
    frame = thermal_frame(scene)
    assert np.array_equal(bindrt.preprocess.thermal(files["thermal"]), bindrt.preprocess.thermal(frame))
    felt = bindrt.preprocess.imu(bindrt.Imu(motion(scene), rate=200))
    assert np.array_equal(bindrt.preprocess.imu(files["imu"]), felt)  # type: ignore[arg-type]
    assert files["text"].read_text("utf-8").strip() == caption(scene, 0)
