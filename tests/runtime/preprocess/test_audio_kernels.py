"""Resampling and log-mel spectra: against their definitions in float64, in every layout, part and level."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindrt import Audio, InputError, _core, preprocess
from bindrt.modalities.steps.clips import clip_samples
from bindrt.modalities.steps.resample import Resampler
from support import reference_audio as reference

RATES = st.sampled_from([8000, 11025, 16000, 22050, 22051, 32000, 44100, 48000, 96000, 12345, 7, 192000])
ANY_RATE = st.one_of(RATES, st.integers(1, 400_000))
LEVELS = ("baseline", "avx2", "avx512")


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test at one instruction set."""
    if _core.limit_cpu_level(request.param) != request.param:
        _core.limit_cpu_level("avx512")
        pytest.skip(f"this machine has no {request.param}")
    yield request.param
    _core.limit_cpu_level("avx512")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@settings(deadline=None, max_examples=80)
@given(
    rate=ANY_RATE,
    new=st.sampled_from([16000, 16000, 8000, 44100, 1, 12345]),
    length=st.integers(0, 400),
    begin=st.integers(0, 5000),
    seed=st.integers(0, 99),
    at=st.floats(0, 1),
)
def test_resampling_is_the_definition(
    rate: int, new: int, length: int, begin: int, seed: int, at: float
) -> None:
    ratio = Fraction(rate, new)
    if not 1 / 5000 < ratio < 500:
        return
    signal = noise(length, seed=seed)
    total = math.ceil((begin + length) * new / rate)
    start = int(at * max(total - 1, 0))
    wanted = range(start, start + 30)
    out = _core.resample(signal, rate, new, start=start, stop=wanted.stop, begin=begin)
    np.testing.assert_allclose(out, reference.resample(signal, rate, new, wanted, begin), rtol=0, atol=1e-6)
    assert len(_core.resample(signal, rate, new, begin=begin)) == total
    # Rounding of positions, the original's, is base * 2^-24 of a tap's width.
    exact = reference.resample(signal, rate, new, wanted, begin, rounded=False)
    base = 0.99 * min(ratio.numerator, ratio.denominator)
    np.testing.assert_allclose(out, exact, rtol=0, atol=2e-6 + 1e-6 * base)


@settings(deadline=None, max_examples=40)
@given(rate=RATES, start=st.integers(0, 3000), length=st.integers(0, 300), threads=st.integers(1, 4))
def test_a_part_is_a_part_of_the_whole(rate: int, start: int, length: int, threads: int) -> None:
    resampler = Resampler.of(Fraction(rate), 16000)
    whole, part = range(3300), range(start, start + length)
    signal = noise(resampler.needed(whole).stop, seed=rate)
    expected = _core.resample(signal, rate, 16000, stop=3300)
    need = resampler.needed(part)
    low = max(need.start, 0)
    some = signal[low : max(need.stop, low)]
    at: dict[str, Any] = {"start": start, "stop": part.stop, "begin": low, "threads": threads}
    np.testing.assert_array_equal(_core.resample(some, rate, 16000, **at), expected[start : part.stop])


@settings(deadline=None, max_examples=60)
@given(
    channels=st.integers(1, 5),
    length=st.integers(0, 300),
    rate=st.sampled_from([44100, 16000, 8000, 192000]),
    dtype=st.sampled_from([np.float32, np.int16, np.int32]),
    layout=st.sampled_from(["planar", "interleaved", "reversed", "odd"]),
)
def test_every_layout_is_the_same(channels: int, length: int, rate: int, dtype: Any, layout: str) -> None:
    real = noise(channels, length, seed=length)
    scale = {np.float32: 1.0, np.int16: 2.0**15, np.int32: 2.0**31}[dtype]
    given_samples = real if dtype is np.float32 else (real.astype(np.float64) * scale * 0.999).astype(dtype)
    floats = (given_samples.astype(np.float64) / scale).astype(np.float32)
    if layout == "interleaved":
        given_samples = np.ascontiguousarray(given_samples.T).T
    elif layout == "reversed":
        given_samples = np.ascontiguousarray(given_samples[::-1, ::-1])[::-1, ::-1]
    elif layout == "odd":  # every sample at an odd address
        field = np.zeros((channels, length), np.dtype([("pad", "u1"), ("x", dtype)]))
        field["x"] = given_samples
        given_samples = field["x"]
    out = _core.resample(given_samples, rate, 16000)
    assert out.shape == (channels, math.ceil(length * 16000 / rate))
    for i in range(channels):
        np.testing.assert_array_equal(out[i], _core.resample(floats[i].copy(), rate, 16000))
        np.testing.assert_array_equal(out[i], _core.resample(given_samples, rate, 16000, channel=i))
    mean = floats.mean(axis=0, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(
        _core.resample(given_samples, rate, 16000, channel=-1), _core.resample(mean, rate, 16000)
    )
    assert _core.peak(given_samples) == np.abs(floats).max(initial=0.0)


@settings(deadline=None, max_examples=60)
@given(
    rate=ANY_RATE,
    length=st.integers(1, 60_000),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    channels=st.integers(1, 3),
)
def test_a_sum_is_the_sum_of_outputs(
    rate: int, length: int, share: tuple[float, float], channels: int
) -> None:
    if length * 16000 / rate > 300_000:
        return
    signal = noise(channels, length, seed=length) + np.float32(0.1)
    total = math.ceil(length * 16000 / rate)
    start, stop = sorted(int(s * total) for s in share)
    outputs = _core.resample(signal, rate, 16000, channel=-1, start=start, stop=stop)
    got = _core.resample_sum(signal, rate, 16000, -1, start, stop)
    size = float(np.abs(outputs).sum(dtype=np.float64))
    assert got == pytest.approx(outputs.sum(dtype=np.float64), rel=0, abs=1e-6 * size + 1e-6)


def test_levels_and_threads_give_the_same_bits(level: str) -> None:
    signal = noise(2, 30_000)
    for rate in (44100, 8000, 22051, 1_000_003):
        out = _core.resample(signal, rate, 16000, stop=1500)
        np.testing.assert_array_equal(_core.resample(signal, rate, 16000, stop=1500, threads=3), out)
        _core.limit_cpu_level("baseline")
        np.testing.assert_array_equal(_core.resample(signal, rate, 16000, stop=1500), out)
        _core.limit_cpu_level(level)
    for half in (False, True):
        mel = _core.log_mel(signal[0], half=half)
        np.testing.assert_array_equal(_core.log_mel(signal[0], half=half, threads=3), mel)
        _core.limit_cpu_level("baseline")
        np.testing.assert_array_equal(_core.log_mel(signal[0], half=half), mel)
        _core.limit_cpu_level(level)


def test_filters_from_many_threads() -> None:
    signal = noise(3000)
    rates = [44100, 48000, 22051, 11025, 12345, *range(30_000, 30_030)]
    expected = {rate: reference.resample(signal, rate, 16000, range(50, 60)) for rate in rates}
    wrong: list[int] = []

    def work(order: list[int]) -> None:
        for rate in order:
            out = _core.resample(signal, rate, 16000, start=50, stop=60)
            if np.abs(out - expected[rate]).max() > 1e-6:
                wrong.append(rate)

    orders = [list(np.random.default_rng(i).permutation(rates)) for i in range(4)]
    threads = [threading.Thread(target=work, args=([int(r) for r in order],)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


SIGNALS = st.sampled_from(["noise", "tone", "quiet", "silence", "offset", "speech", "clicks"])


def make_signal(kind: str, length: int, seed: int) -> np.ndarray:
    """16-bit samples. The tone is 79 dB above its noise: a float32 transform would leak as much."""
    random = np.random.default_rng(seed)
    t = np.arange(length) / 16000
    signal = {
        "noise": lambda: random.normal(0, 0.1, length),
        "tone": lambda: (
            0.9 * np.sin(2 * np.pi * random.uniform(50, 7900) * t) + random.normal(0, 1e-4, length)
        ),
        "quiet": lambda: random.normal(0, 1e-5, length),
        "silence": lambda: np.zeros(length),
        "offset": lambda: 0.5 + random.normal(0, 0.01, length),
        "speech": lambda: np.cumsum(random.normal(0, 0.01, length)) * np.sin(2 * np.pi * 3 * t) ** 2 * 0.1,
        "clicks": lambda: (random.uniform(size=length) > 0.999) * 0.8,
    }[kind]()
    return np.rint(np.clip(signal, -1, 1) * 32767).astype(np.float32) / np.float32(32768)


@settings(deadline=None, max_examples=60)
@given(kind=SIGNALS, length=st.integers(0, 40_000), seed=st.integers(0, 99))
def test_mel_is_the_definition(kind: str, length: int, seed: int) -> None:
    signal = make_signal(kind, length, seed)
    out = _core.log_mel(signal)
    frames = reference.frame_count(length)
    assert out.shape == (128, frames)
    assert out.dtype == np.float32
    if frames:
        np.testing.assert_allclose(out, reference.log_mel(signal), rtol=0, atol=2e-6)
    options: dict[str, Any] = {"columns": 204, "add": 4.268, "times": 1 / 9.138}
    padded = _core.log_mel(signal, **options)
    shown = min(frames, 204)
    np.testing.assert_allclose(padded[:, :shown], (out[:, :204] + 4.268) / 9.138, rtol=0, atol=1e-6)
    assert (padded[:, shown:] == np.float32(4.268) * np.float32(1 / 9.138)).all()
    halves = _core.log_mel(signal, half=True, **options)
    np.testing.assert_array_equal(halves, padded.astype(np.float16))


def test_from_the_quietest_to_the_loudest() -> None:
    frame = noise(400)
    for factor in np.geomspace(1e-4, 2.0**49, 100):
        signal = (frame * np.float32(factor)).astype(np.float32)
        expected = reference.log_mel(signal)
        np.testing.assert_allclose(_core.log_mel(signal), expected, rtol=2e-7, atol=2e-6)


@settings(deadline=None, max_examples=40)
@given(
    seconds=st.floats(0.03, 7.0),
    offset=st.sampled_from([0.0, 0.3]),
    step=st.sampled_from([None, 160, 320, 7]),
    kind=SIGNALS,
)
def test_clips_subtract_their_means_in_place(
    seconds: float, offset: float, step: int | None, kind: str
) -> None:
    total = max(int(seconds * 16000), 400)
    first = make_signal(kind, total, 1) + np.float32(offset)
    mean = (first + make_signal("noise", total, 2) * np.float32(0.1)).astype(np.float32)
    ranges = clip_samples(total, 16000, 3, 2.0)
    if step is not None:  # clips whose frames coincide, or nearly
        length = max(total - 2 * step, 400)
        ranges = [range(min(i * step, total), min(i * step + length, total)) for i in range(3)]
    pairs = [(r.start, r.stop) for r in ranges]
    means = [
        float(mean[r.start : r.stop].mean(dtype=np.float64)) if needed else math.nan
        for r, needed in zip(ranges, _core.needs_means(pairs), strict=True)
    ]
    out = _core.mel_clips(first, pairs, [0.0 if math.isnan(m) else m for m in means])
    reference.assert_mel_close(out, reference.model_input(first, mean, ranges))
    for half in (False, True):
        again = _core.mel_clips(
            first, pairs, [0.0 if math.isnan(m) else m for m in means], threads=3, half=half
        )
        np.testing.assert_array_equal(again, out.astype(np.float16 if half else np.float32))


def test_steps_are_what_the_means_of_earlier_clips_leave() -> None:
    """By hand: the second clip's mean is taken after the first one's is gone from their common half."""
    steps = _core.mel_steps([(0, 400), (200, 600), (400, 800)], [1.0, 2.0, 5.0])
    assert steps == [[], [(200, 1.0)], [(200, 1.5)]]
    assert _core.mel_steps([(0, 400), (400, 800)], [1.0, 2.0]) == [[], []]
    assert _core.mel_steps([(0, 400), (100, 500)], []) == [[], [(300, 0.0)]]


def test_clips_of_recordings_with_channels() -> None:
    """The whole path, at a rate that is resampled: against the definition, with an offset that matters."""
    rate = 44100
    wave = np.stack([make_signal("speech", 4 * rate, 1), make_signal("noise", 4 * rate, 2)]) + 0.2
    wave[1, rate:] += 0.3
    wave = wave.astype(np.float32)
    total = math.ceil(wave.shape[1] * 16000 / rate)
    first, second = (reference.resample(w, rate, 16000, range(total)) for w in wave)
    ranges = clip_samples(total, 16000, 3, 2.0)
    expected = reference.model_input(first, (first + second) / 2, ranges)
    reference.assert_mel_close(preprocess.audio(Audio(wave, rate=rate)), expected)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: _core.resample([1.0], 2, 1), "samples is a list"),
        (lambda: _core.resample(np.zeros(4), 2, 1), "float64"),
        (lambda: _core.resample(np.zeros(4, ">f4"), 2, 1), "byte order"),
        (lambda: _core.resample(np.zeros((1, 1, 4), np.float32), 2, 1), r"\[channels, N\]"),
        (lambda: _core.resample(np.zeros((0, 4), np.float32), 2, 1), r"\[channels, N\]"),
        (lambda: _core.resample(np.zeros((2000, 4), np.float32), 2, 1), "2000 channels"),
        (lambda: _core.resample(noise(4), 0, 1), "must be positive"),
        (lambda: _core.resample(noise(4), 1, -1), "must be positive"),
        (lambda: _core.resample(noise(4), 2**40 + 1, 2), "too far"),
        (lambda: _core.resample(noise(4), 10**6, 1), "too far"),
        (lambda: _core.resample(noise(4), 2, 1, channel=1), "channel is 1"),
        (lambda: _core.resample(noise(4), 2, 1, channel=-2), "channel is -2"),
        (lambda: _core.resample(noise(4), 2, 1, start=-1), "start is -1"),
        (lambda: _core.resample(noise(4), 2, 1, start=3, stop=2), "start is 3"),
        (lambda: _core.resample(noise(4), 2, 1, stop=2**50), "stop"),
        (lambda: _core.resample(noise(4), 2, 1, begin=-1), "begin is -1"),
        (lambda: _core.resample(noise(4), 2, 1, out=np.zeros(3, np.float32)), "out has shape"),
        (lambda: _core.resample(noise(4), 2, 1, out=np.zeros(2)), "out has dtype float64"),
        (lambda: _core.resample(noise(4), 2, 1, out=np.zeros(4, np.float32)[::2]), "C-contiguous"),
        (lambda: _core.resample_sum(noise(4), 2, 1, 3, 0, 1), "channel is 3"),
        (lambda: _core.peak(np.zeros(4)), "float64"),
        (lambda: _core.log_mel(np.zeros(400)), "float64"),
        (lambda: _core.log_mel(noise(2, 400)), "1 dimension"),
        (lambda: _core.log_mel(noise(800)[::2]), "C-contiguous"),
        (lambda: _core.log_mel(np.full(400, np.nan, np.float32)), "NaN"),
        (lambda: _core.log_mel(np.full(400, 1e30, np.float32)), r"beyond 2\^50"),
        (lambda: _core.log_mel(noise(400), columns=-1), "columns"),
        (lambda: _core.log_mel(noise(400), add=math.inf), "finite"),
        (lambda: _core.log_mel(noise(400), half=True, out=np.zeros((128, 1), np.float32)), "float16"),
        (lambda: _core.mel_clips(noise(400), [(0, 401)], []), "inside the 400 samples"),
        (lambda: _core.mel_clips(noise(400), [(-1, 4)], []), "inside"),
        (lambda: _core.mel_clips(noise(400), [(9, 4)], []), "inside"),
        (lambda: _core.mel_steps([(9, 4)], []), "inside"),
        (lambda: _core.mel_clips(noise(400), [(1, 4), (0, 9)], []), "in order"),
        (lambda: _core.mel_clips(noise(400), [(0, 4)] * 4, []), "at most 3"),
        (lambda: _core.mel_clips(noise(400), [(0, 4)], [0.0, 0.0]), "one mean each"),
    ],
)
def test_faults(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_out_must_not_be_the_input() -> None:
    shared = np.zeros(8, np.float32)
    with pytest.raises(ValueError, match="shares memory"):
        _core.resample(shared[:4], 1, 1, out=shared[2:6])
    frozen = np.zeros(4, np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        _core.resample(shared[:4], 1, 1, out=frozen)


def test_out_is_written() -> None:
    batch = np.full((3, 1, 128, 204), 9, np.float32)
    signal = noise(16000)
    out = _core.mel_clips(signal, [(0, 16000)], [], out=batch[1:2])
    assert np.shares_memory(out, batch)
    np.testing.assert_array_equal(batch[1], _core.mel_clips(signal, [(0, 16000)], [])[0])
    assert (batch[[0, 2]] == 9).all()


def test_samples_that_are_too_loud_are_refused() -> None:
    wave = noise(16000) * np.float32(1e20)
    with pytest.raises(InputError, match="full scale"):
        preprocess.audio(Audio(wave, rate=16000))
