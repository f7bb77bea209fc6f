"""Windows of audio blocks equal those cut from the whole recording, and share their frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bindrt
from bindrt.streams.feeds import AudioFeed, ReadyWindow
from support.feeds import blocks, fed, require_equal
from support.media import waveform


@settings(max_examples=12, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9000), min_size=1, max_size=5),
    rate=st.sampled_from([8000, 16000, 22050, 44100, 48000]),
    hop=st.sampled_from([0.1, 0.25, 0.33, 0.5]),
    window=st.sampled_from([0.5, 2.0, 2.5, 6.0]),
)
def test_any_blocks_give_the_windows_of_the_whole_recording(
    lengths: list[int], rate: int, hop: float, window: float
) -> None:
    wave = waveform(window + 1.3, 2, rate)
    windows = fed(AudioFeed(rate, window, hop, channels=2), blocks(wave, [n * rate // 8000 for n in lengths]))
    assert len(windows) == int(1.3 / hop) + 1
    require_equal(windows, wave, rate)
    assert [round(w.start, 6) for w in windows] == pytest.approx(
        [i * hop for i in range(len(windows))], abs=1e-4
    )


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8, np.float64])
def test_samples_of_every_type(dtype: type) -> None:
    wave = waveform(3.0, 1, 48000)
    if np.dtype(dtype).kind == "f":
        given_wave = wave.astype(dtype)
    else:
        middle = 128 if dtype is np.uint8 else 0
        given_wave = (wave * (np.iinfo(dtype).max - middle) + middle).astype(dtype)
    windows = fed(AudioFeed(48000, 2.0, 0.5), blocks(given_wave, [480]))
    assert len(windows) == 3
    require_equal(windows, given_wave, 48000)


@pytest.mark.parametrize(("rate", "own"), [(16000, 0), (48000, 1), (44100, 1)])
def test_frames_of_the_overlap_are_computed_once(rate: int, own: int) -> None:
    wave = waveform(12.0, 1, rate)
    feed = AudioFeed(rate, 2.0, 0.1)
    windows = fed(feed, blocks(wave, [rate // 50]))
    assert len(windows) == 101
    new = 10  # frames of a hop of 100 ms
    assert feed.mel_frames <= 198 + (new + own) * 101
    assert feed.mel_frames <= 198 + 198 * 101 / 15


@pytest.mark.parametrize(
    ("rate", "window", "hop", "most"),
    [
        (16000, 3.0, 0.1, 10 + 6),  # the clips overlap: 6 frames lie over the ends of what they share
        (48000, 3.0, 0.1, 10 + 6 + 1),
        (
            48000,
            2.01,
            0.1,
            3 * 10 + 2,
        ),  # the clips begin 79 and 159 samples later: none has frames of another
        (48000, 2.0, 0.125, 25 + 1),  # every second window shares
        (22050, 2.0, 0.25, 3 * 25 + 2),  # and where every second one begins between two samples
        (44100, 9.0, 0.5, 50 + 1),
    ],
)
def test_frames_are_shared_wherever_those_of_windows_coincide(
    rate: int, window: float, hop: float, most: int
) -> None:
    wave = waveform(window + 20 * hop, 2, rate) + np.float32(0.2)  # clips' means make a difference
    wave[1] *= 0.5
    feed = AudioFeed(rate, window, hop, channels=2)
    warm = round((window + 5 * hop) * rate)
    windows = fed_in_part(feed, wave[:, :warm])
    before = feed.mel_frames
    more = fed_in_part(feed, wave[:, warm:])
    require_equal(windows + more, wave, rate)
    assert len(windows) == 6
    assert (feed.mel_frames - before) / len(more) <= most


def fed_in_part(feed: AudioFeed, wave: np.ndarray) -> list[ReadyWindow]:
    return [window for block in blocks(wave, [4000]) for window in feed.push(block)]


@pytest.mark.parametrize(("window", "hop"), [(0.5, 0.5), (20.0, 6.0), (2.0, 0.1003)])
def test_windows_that_have_next_to_no_frame_in_common_are_made_apart(window: float, hop: float) -> None:
    wave = waveform(window + 2 * hop, 1, 16000)
    feed = AudioFeed(16000, window, hop)
    require_equal(fed(feed, blocks(wave, [4000])), wave, 16000)
    assert feed.mel_frames == 0  # of those that are shared


def test_a_hop_longer_than_the_window() -> None:
    wave = waveform(9.0, 1, 48000)
    windows = fed(AudioFeed(48000, 1.0, 2.5), blocks(wave, [4800]))
    assert [w.start for w in windows] == [0.0, 2.5, 5.0, 7.5]
    require_equal(windows, wave, 48000)


def test_memory_does_not_grow_with_the_recording() -> None:
    import tracemalloc

    feed = AudioFeed(16000, 2.0, 0.5)
    block = waveform(0.5, 1, 16000)
    for _ in range(20):
        feed.push(block)
    tracemalloc.start()
    try:
        for _ in range(20):
            feed.push(block)
        early = tracemalloc.get_traced_memory()[0]
        for _ in range(400):
            feed.push(block)
        late = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert late - early < 100_000


def test_times_of_the_sensor_are_the_windows() -> None:
    wave = waveform(3.0, 1, 16000)
    feed = AudioFeed(16000, 2.0, 0.5)
    windows = []
    for at in range(0, 48000, 160):
        windows += feed.push(wave[:, at : at + 160], time=1.7e9 + at / 16000)
    assert [w.start - 1.7e9 for w in windows] == pytest.approx([0.0, 0.5, 1.0], abs=1e-5)
    assert [w.notes for w in windows] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("block", "time", "text"),
    [
        (np.zeros((2, 10), np.float32), None, "the stream has 1 channels; a block is [1, n]"),
        (np.zeros((10, 1), np.float32), None, "transpose it"),
        (np.zeros(10, np.complex64), None, "the dtype is complex64"),
        (np.zeros(10, np.int16), None, "the stream's blocks are float32"),
        ("a path", None, "str is not an array"),
        (np.zeros(10, np.float32), "now", "its time is 'now'"),
        (np.zeros(10, np.float32), float("nan"), "its time is nan"),
    ],
)
def test_bad_blocks_are_errors_and_change_nothing(block: object, time: object, text: str) -> None:
    wave = waveform(2.0, 1, 16000)
    feed = AudioFeed(16000, 2.0, 0.5)
    feed.push(wave[:, :16000])
    with pytest.raises(bindrt.InputError, match=text.replace("[", r"\[").replace("]", r"\]")):
        feed.push(block, time)
    (window,) = feed.push(wave[:, 16000:])
    require_equal([window], wave, 16000)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rate": 0}, "rate is 0"),
        ({"rate": "fast"}, "not a rate"),
        ({"rate": 16000, "window": 0}, "window=0"),
        ({"rate": 16000, "window": 0.02}, "0.025 s"),
        ({"rate": 16000, "hop": -1}, "hop=-1"),
        ({"rate": 16000, "channels": 0}, "channels=0"),
    ],
)
def test_bad_options_are_errors(options: dict[str, object], text: str) -> None:
    with pytest.raises(bindrt.OptionError, match=text):
        AudioFeed(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e20])
def test_values_that_are_no_samples_count_as_zero_and_are_noted(bad: float) -> None:
    wave = waveform(4.0, 1, 16000)
    broken = wave.copy()
    broken[0, 17000:17010] = bad
    mended = wave.copy()
    mended[0, 17000:17010] = 0
    feed = AudioFeed(16000, 1.0, 1.0)
    windows = fed(feed, blocks(broken, [400]))
    require_equal(windows, mended, 16000)
    assert [w.notes.get("not_finite") for w in windows] == [None, 10, None, None]
    assert feed.counts["not_finite"] == 10
