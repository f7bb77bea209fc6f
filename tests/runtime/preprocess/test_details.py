"""Options and corners of each modality that the reference data does not reach."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from bindrt import Audio, Depth, Imu, InputError, OptionError, Thermal, Video, preprocess
from bindrt.modalities import MODALITIES
from support.golden import pixels
from support.media import frames, picture_bytes, waveform


def test_texts_that_are_odd() -> None:
    out = preprocess.text(
        ["a\ud800b", "\ud83d\ude00", "\0", "\ufffe", "🏳️‍🌈" * 50, "a" * 100_000, "x " * 100_000]
    )
    assert out.shape == (7, 77)
    assert (out[:, 0] == 49406).all()
    assert (out == 49407).any(axis=1).all()
    np.testing.assert_array_equal(out[1], preprocess.text("😀")[0])
    np.testing.assert_array_equal(out[6], preprocess.text("x " * 200)[0])
    assert out[6, 76] == 49407


def test_texts_from_many_threads() -> None:
    texts = [f"number {i} of many, naïve café" for i in range(40)]
    expected = preprocess.text(texts)
    results: dict[int, np.ndarray] = {}

    def work(i: int) -> None:
        results[i] = preprocess.text(texts)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all((r == expected).all() for r in results.values())


@pytest.mark.parametrize("size", [(30, 9000), (9000, 30), (3, 1400), (1400, 3), (1, 500), (250, 80000)])
def test_only_the_middle_of_a_very_long_picture_is_resized(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    new_long = int(224 * max(size) / min(size))
    assert new_long > 65536
    new = (224, new_long) if size[0] < size[1] else (new_long, 224)
    left, top = (round((n - 224) / 2) for n in new)
    across = PIL.Image.fromarray(rgb).resize((new[0], size[1]), PIL.Image.Resampling.BICUBIC)
    full = across.resize(new, PIL.Image.Resampling.BICUBIC)
    expected = np.asarray(full.crop((left, top, left + 224, top + 224)))
    np.testing.assert_array_equal(pixels(preprocess.image(rgb)), expected)


@pytest.mark.parametrize("size", [(1, 400_000), (400_000, 1)])
def test_lines_cost_no_more_memory(size: tuple[int, int]) -> None:
    """Resized whole they would have 2·10^10 pixels."""
    strip = np.full((size[1], size[0], 3), 7, np.uint8)
    assert (pixels(preprocess.image(strip)) == 7).all()
    assert preprocess.depth(strip[..., 0].astype(np.uint16) * 200).shape == (1, 224, 224)
    assert preprocess.video(Video([strip], fps=1)).shape == (15, 3, 2, 224, 224)


def test_short_and_silent_recordings() -> None:
    out = preprocess.audio(Audio(np.zeros(400), rate=16000))
    floor = (np.log(np.float32(2.0**-23)) + 4.268) / 9.138
    np.testing.assert_allclose(out[..., 0], floor, atol=1e-6)
    np.testing.assert_allclose(out[..., 1:], 4.268 / 9.138, atol=1e-6)


def test_channels_beyond_the_first_only_move_the_mean() -> None:
    wave = waveform(2.0, 2, 16000)
    out = preprocess.audio(Audio(wave, rate=16000))
    alone = preprocess.audio(Audio(wave[:1], rate=16000))
    np.testing.assert_allclose(out, alone, rtol=0, atol=2e-2)


@pytest.mark.parametrize("rate", [1, 100, 11025.5, 22051, 44100, 1_000_003, 4_000_000])
def test_any_rate(rate: float) -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, max(int(rate * 2.5), 3)).astype(np.float32)
    assert np.isfinite(preprocess.audio(Audio(wave, rate=rate))).all()


def test_uint8_waveforms() -> None:
    wave = (waveform(2.0, 1, 16000) * 128 + 128).astype(np.uint8)
    expected = preprocess.audio(Audio((wave.astype(np.float32) - 128) / 128, rate=16000))
    np.testing.assert_array_equal(preprocess.audio(Audio(wave, rate=16000)), expected)


def test_low_frame_rates_repeat_frames() -> None:
    out = preprocess.video(Video(frames(4), fps=0.2))
    np.testing.assert_array_equal(out[:, :, 0], out[:, :, 1])


def test_video_inputs_are_left_alone() -> None:
    made = np.stack(frames(5))
    before = made.copy()
    preprocess.video(Video(made, fps=5))
    np.testing.assert_array_equal(made, before)
    assert made.flags.writeable


def test_audio_inputs_are_left_alone() -> None:
    wave = waveform(2.5, 2, 16000) + 0.2
    before = wave.copy()
    preprocess.audio(Audio(wave, rate=16000))
    np.testing.assert_array_equal(wave, before)


def test_depth_from_files(tmp_path: Path) -> None:
    metres = np.random.default_rng(0).uniform(0.5, 6, (48, 64)).astype(np.float32)
    counts = np.rint(metres * 1000).astype(np.uint16)
    expected = preprocess.depth(counts)
    np.save(tmp_path / "a.npy", counts)
    np.savez(tmp_path / "a.npz", depth=metres, other=counts)
    PIL.Image.fromarray(counts).save(tmp_path / "a.tiff")
    PIL.Image.fromarray(metres).save(tmp_path / "float.tiff")
    for name in ("a.npy", "a.npz", "a.tiff", "float.tiff"):
        np.testing.assert_allclose(preprocess.depth(tmp_path / name), expected, rtol=0, atol=1e-2)
    np.testing.assert_array_equal(preprocess.depth(picture_bytes("PNG", counts)), expected)
    np.testing.assert_array_equal(preprocess.depth(counts[None]), expected)
    np.testing.assert_array_equal(preprocess.depth(counts[..., None]), expected)
    np.testing.assert_array_equal(preprocess.depth(counts.astype(">i4")), expected)


def test_depth_options() -> None:
    metres = np.full((30, 30), 2.0, np.float32)

    def value(disparity: float) -> float:
        return (disparity / 75 - 0.0418) / 0.0295

    np.testing.assert_allclose(preprocess.depth(metres), value(0.075 * 518.8579 / 16), atol=1e-5)
    np.testing.assert_allclose(
        preprocess.depth(metres, model_scale=1.0), value(0.075 * 518.8579 / 2), atol=1e-5
    )
    camera = preprocess.CAMERAS["xtion"]
    expected = value(camera["baseline"] * camera["focal"] / 16)
    np.testing.assert_allclose(preprocess.depth(metres, **camera), expected, atol=1e-5)
    packed = np.full((30, 30), 9000, np.uint16)
    packed = (packed << 3 | packed >> 13).astype(np.uint16)
    np.testing.assert_allclose(
        preprocess.depth(packed, unit="sunrgbd"), value(0.075 * 518.8579 / 50), atol=1e-5
    )
    notes = preprocess.prepare("depth", Depth(metres * 0)).notes
    assert notes["missing_share"] == 1.0


def test_thermal_ranges(tmp_path: Path) -> None:
    celsius = np.linspace(10, 40, 300 * 224).reshape(300, 224)
    prepared = preprocess.prepare("thermal", Thermal(celsius, percentiles=(0, 100)))
    assert prepared.notes == {"low": 10.0, "high": 40.0}
    np.testing.assert_allclose(prepared.array, preprocess.thermal(celsius, 10, 40))
    assert prepared.array.min() >= 0
    assert prepared.array.max() <= 1
    np.savez(tmp_path / "a.npz", thermal=celsius.astype(np.float32))
    np.testing.assert_allclose(preprocess.thermal(tmp_path / "a.npz", 10, 40), prepared.array, atol=1e-6)
    counts = np.rint(celsius * 100).astype(np.uint16)
    np.testing.assert_allclose(
        preprocess.thermal(picture_bytes("PNG", counts), 1000, 4000), prepared.array, atol=1e-3
    )


def test_thermal_pictures_with_three_equal_channels() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
    expected = preprocess.thermal(grey)
    np.testing.assert_array_equal(preprocess.thermal(picture_bytes("PNG", np.dstack([grey] * 3))), expected)


def test_imu_interpolates_and_holds() -> None:
    t = np.arange(500) / 100
    ramp = np.stack([t * (i + 1) for i in range(6)])
    out = preprocess.imu(ramp, rate=100)
    at = np.minimum(np.arange(2000) / 400, 4.99)
    np.testing.assert_allclose(out, np.stack([at * (i + 1) for i in range(6)]), atol=1e-5)
    np.testing.assert_array_equal(
        preprocess.imu(ramp, timestamps=1.7e9 + t), preprocess.imu(ramp, timestamps=1.7e9 + t)
    )
    np.testing.assert_allclose(preprocess.imu(ramp, timestamps=t + 1.7e9), out, atol=1e-4)
    np.testing.assert_array_equal(
        preprocess.imu(ramp, timestamps=list(t)), preprocess.imu(ramp, timestamps=t)
    )


def test_imu_takes_the_first_five_seconds() -> None:
    samples = np.random.default_rng(0).normal(size=(6, 3000))
    np.testing.assert_array_equal(
        preprocess.imu(samples, rate=200), preprocess.imu(samples[:, :1001], rate=200)
    )
    late = samples.copy()
    late[:, 2000] = np.nan
    np.testing.assert_array_equal(preprocess.imu(late, rate=200), preprocess.imu(samples, rate=200))
    times = np.arange(3000) / 200
    times[2000:] += 3
    np.testing.assert_allclose(
        preprocess.imu(samples, timestamps=times), preprocess.imu(samples, rate=200), atol=1e-6
    )


def test_imu_options() -> None:
    samples = np.random.default_rng(0).normal(size=(6, 1100))
    plain = preprocess.imu(samples, rate=200)
    g = preprocess.imu(samples, rate=200, accel_unit="g", gyro_unit="deg/s")
    np.testing.assert_allclose(g[:3], plain[:3] * 9.80665, rtol=1e-5)
    np.testing.assert_allclose(g[3:], plain[3:] * np.pi / 180, rtol=1e-5)
    mean, std = [1, 2, 3, 4, 5, 6], [2] * 6
    out = preprocess.imu(samples, rate=200, standardize=(mean, std))
    np.testing.assert_allclose(out, (plain - np.array(mean)[:, None]) / 2, atol=1e-5)
    short = preprocess.imu(samples[:, :400], rate=200, min_seconds=1)
    np.testing.assert_array_equal(short[:, 900:], np.repeat(short[:, -1:], 1100, axis=1))
    gap = np.arange(1100) / 200
    gap[500:] += 0.3
    assert preprocess.imu(samples, timestamps=gap, max_gap=0.5).shape == (6, 2000)


def test_windows() -> None:
    samples = np.arange(6 * 2500, dtype=np.float32).reshape(6, 2500)
    parts = list(preprocess.windows(samples, rate=200))
    assert [p.shape for p in parts] == [(6, 1000), (6, 1000)]
    np.testing.assert_array_equal(parts[1], samples[:, 1000:2000])
    assert [int(p[0, 0]) for p in preprocess.windows(samples, 200, hop=2.5)] == [0, 500, 1000, 1500]
    for part in parts:
        assert preprocess.prepare("imu", Imu(part, rate=200)).array.shape == (6, 2000)
    assert list(preprocess.windows(samples[:, :900], 200)) == []
    for options in (
        {"rate": 0},
        {"rate": 200, "seconds": -1},
        {"rate": 200, "hop": 0},
        {"rate": 200, "hop": 1e-9},
    ):
        with pytest.raises(OptionError):
            preprocess.windows(samples, **options)
    with pytest.raises(InputError):
        preprocess.windows(samples.T, 200)


def test_imu_integer_timestamps_keep_their_digits() -> None:
    samples = np.random.default_rng(0).normal(size=(6, 6))
    early, late = (
        preprocess.prepare("imu", Imu(samples, timestamps=np.arange(6) + start, max_gap=1.5)).array
        for start in (0, 2**60)
    )
    np.testing.assert_array_equal(late, early)
    assert len(np.unique(early[0])) > 1900


@pytest.mark.parametrize("modality", MODALITIES)
def test_constants_are_json(modality: str) -> None:
    told = preprocess.describe(modality)
    assert json.loads(json.dumps(told)) == told
    told["side"] = 5
    assert preprocess.describe(modality) != told


def test_constants_of_no_modality() -> None:
    with pytest.raises(OptionError):
        preprocess.describe("smell")
