"""``Model.live``: vectors equal ``embed``'s, nothing is lost in silence, and ``push`` waits for nobody."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.streams.live import LiveStream
from support.engines import SimulatedEngine
from support.media import frames, picture, waveform

RATE = 16000
NEIGHBOURS = 5e-6  # of a vector, from another batch size


@pytest.fixture(scope="module")
def tiny() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny") as model:
        yield model


@pytest.fixture
def held() -> Iterator[tuple[bindrt.Model, SimulatedEngine]]:
    """A model whose audio and image engine waits for its gate."""
    engine = SimulatedEngine(held=True)
    with bindrt.load("tiny", engines={"audio": engine, "vision": engine}) as model:
        yield model, engine
        engine.gate.set()


def push_all(stream: LiveStream, wave: np.ndarray, length: int = 1600) -> None:
    for at in range(0, wave.shape[1], length):
        stream.push(wave[:, at : at + length])


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    for _ in range(6000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen within a minute")


@pytest.mark.parametrize(("rate", "window"), [(16000, 2.0), (48000, 2.0), (44100, 3.0)])
def test_vectors_of_audio_are_those_of_embed(tiny: bindrt.Model, rate: int, window: float) -> None:
    wave = waveform(window + 1.2, 2, rate)
    with tiny.live("audio", rate=rate, channels=2, window=window, hop=0.25, policy="all", queue=99) as stream:
        push_all(stream, wave, rate // 100)
    found = list(stream)
    assert len(found) == 5
    for one in found:
        expected = tiny.embed(audio=bindrt.Audio(wave, rate=rate, start=one.start, end=one.end)).audio[0]
        assert np.abs(one.vector - expected).max() < NEIGHBOURS
        assert one.error is None
        assert one.arrived <= one.done
        assert one.staleness < 60


def test_vectors_of_imu_are_those_of_embed(tiny: bindrt.Model) -> None:
    times = np.arange(2600) / 400
    samples = np.sin(np.arange(6)[:, None] + times)
    with tiny.live("imu", hop=0.5, policy="all", queue=99) as stream:
        for at in range(0, 2600, 20):
            stream.push(acc=samples[:3, at : at + 20], times=times[at : at + 20])
            stream.push(gyro=samples[3:, at : at + 20], times=times[at : at + 20])
    found = list(stream)
    assert [w.start for w in found] == [0.0, 0.5, 1.0, 1.5]
    for one in found:
        inside = (times >= one.start) & (times < one.end)
        item = bindrt.Imu(samples[:, inside], timestamps=times[inside])
        assert np.abs(one.vector - tiny.embed(imu=item).imu[0]).max() < NEIGHBOURS


def test_vectors_of_video_are_those_of_embed(tiny: bindrt.Model) -> None:
    pictures = frames(36)
    with tiny.live("video", fps=12, policy="all", queue=99) as stream:
        for each in pictures:
            stream.push(each)
    found = list(stream)
    assert [w.start for w in found] == [0.0, 1.0]
    for at, one in zip((0, 12), found, strict=True):
        item = bindrt.Video(pictures[at : at + 24], fps=12)
        assert np.abs(one.vector - tiny.embed(video=item).video[0]).max() < NEIGHBOURS


@pytest.mark.parametrize(
    ("modality", "options", "frame", "item"),
    [
        ("image", {"layout": "BGR"}, picture(), bindrt.Image(picture(), layout="BGR")),
        ("depth", {}, np.full((40, 50), 1.5), bindrt.Depth(np.full((40, 50), 1.5))),
        ("thermal", {}, picture()[:, :, 0], bindrt.Thermal(picture()[:, :, 0])),
    ],
)
def test_vectors_of_frames_are_those_of_embed(
    tiny: bindrt.Model, modality: Any, options: dict[str, Any], frame: np.ndarray, item: Any
) -> None:
    with tiny.live(modality, **options) as stream:
        stream.push(frame, time=7.5)
    (one,) = stream
    assert (one.start, one.end) == (7.5, 7.5)
    assert np.abs(one.vector - tiny.embed(**{modality: item})[modality][0]).max() < NEIGHBOURS


def test_a_pushed_array_may_change_at_once(tiny: bindrt.Model) -> None:
    wave = waveform(2.0, 1, RATE)
    with tiny.live("audio", rate=RATE) as stream:
        block = np.empty((1, 1600), np.float32)
        for at in range(0, 32000, 1600):
            block[...] = wave[:, at : at + 1600]
            stream.push(block)
            block[...] = np.nan
    (one,) = stream
    expected = tiny.embed(audio=bindrt.Audio(wave, rate=RATE)).audio[0]
    assert np.abs(one.vector - expected).max() < NEIGHBOURS


def test_results_by_callback_and_by_async_iteration(tiny: bindrt.Model) -> None:
    wave, called = waveform(3.0, 1, RATE), []
    with tiny.live("audio", rate=RATE, hop=0.5, policy="all", queue=99, on_result=called.append) as stream:
        push_all(stream, wave)
    assert list(stream) == []

    async def read() -> list[Any]:
        with tiny.live("audio", rate=RATE, hop=0.5, policy="all", queue=99) as stream:
            thread = threading.Thread(target=lambda: (push_all(stream, wave), stream.close(drain=True)))
            thread.start()
            found = [window async for window in stream]
            thread.join()
        return found

    found = asyncio.run(read())
    assert [w.start for w in found] == [w.start for w in called] == [0.0, 0.5, 1.0]
    assert all(np.abs(a.vector - b.vector).max() < NEIGHBOURS for a, b in zip(found, called, strict=True))


def test_a_callback_that_raises_ends_nothing(tiny: bindrt.Model) -> None:
    seen = []

    def raises(window: Any) -> None:
        seen.append(window.start)
        raise RuntimeError("mine")

    with tiny.live("audio", rate=RATE, policy="all", queue=99, on_result=raises) as stream:
        push_all(stream, waveform(4.0, 1, RATE))
    assert seen == [0.0, 1.0, 2.0]


def test_latest_gives_the_newest_window_and_counts_the_others(
    held: tuple[bindrt.Model, SimulatedEngine],
) -> None:
    model, engine = held
    stream = model.live("audio", rate=RATE, hop=0.5)
    push_all(stream, waveform(2.0, 1, RATE))
    assert engine.entered.wait(60)
    push_all(stream, waveform(4.0, 1, RATE))
    until(lambda: stream.stats()["unprepared"] == 0)
    until(lambda: stream.stats()["waiting"] == 1)
    engine.gate.set()
    stream.close(drain=True)
    found = list(stream)
    assert [w.start for w in found] == [0.0, 4.0]
    assert [w.dropped for w in found] == [7, 7]
    assert stream.stats()["dropped"] == 7
    assert stream.stats()["windows"] == 9


def test_latest_prepares_no_frame_that_is_not_used(held: tuple[bindrt.Model, SimulatedEngine]) -> None:
    model, engine = held
    stream = model.live("image")
    stream.push(picture(), time=0.0)
    assert engine.entered.wait(60)
    for i in range(1, 40):
        stream.push(picture(), time=float(i))
    engine.gate.set()
    stream.close(drain=True)
    assert [w.start for w in stream] == [0.0, 39.0]
    assert stream.stats()["windows"] == 2
    assert stream.stats()["dropped"] == 38


def test_all_refuses_what_would_be_too_much_and_loses_nothing(
    held: tuple[bindrt.Model, SimulatedEngine],
) -> None:
    model, engine = held
    stream = model.live("audio", rate=RATE, window=1.0, hop=0.5, policy="all", queue=3)
    wave, at = waveform(20.0, 1, RATE), 0

    def push_on() -> None:
        nonlocal at
        while at < wave.shape[1]:
            stream.push(wave[:, at : at + 1600])
            at += 1600

    with pytest.raises(bindrt.Overloaded, match="windows wait already"):
        push_on()
    assert at / RATE < 1.0 + 0.5 * 3 + 1.0 + 0.5 + 0.1  # a window, those that wait, and what a window hides
    engine.gate.set()
    found = []
    while at < wave.shape[1]:
        try:
            push_on()
        except bindrt.Overloaded:
            found.append(next(iter(stream)))
    stream.close(drain=True)
    found += list(stream)
    assert [w.start for w in found] == [i / 2 for i in range(39)]
    assert found[-1].dropped == 0


def test_results_that_nobody_reads_are_bounded_with_all(
    tiny: bindrt.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bindrt.streams.live._UNREAD", 10)
    stream = tiny.live("image", policy="all", queue=4)

    def push_on() -> None:
        for i in range(20):
            stream.push(picture(), time=float(i))
            until(lambda expected=i + 1: stream.stats()["delivered"] == expected)  # type: ignore[misc]

    with pytest.raises(bindrt.Overloaded, match="nobody reads 10 results"):
        push_on()
    next(iter(stream))
    stream.push(picture(), time=30.0)
    stream.close(drain=True)
    assert [w.start for w in stream] == [*range(1, 10), 30.0]


def test_results_that_nobody_reads_make_room_for_newer_ones(tiny: bindrt.Model) -> None:
    stream = tiny.live("image", queue=2)
    for i in range(5):
        stream.push(picture(), time=float(i))
        until(lambda expected=i + 1: stream.stats()["delivered"] == expected)  # type: ignore[misc]
    stream.close()
    assert [w.start for w in stream] == [3.0, 4.0]
    assert stream.stats()["unread"] == 3


def test_push_waits_for_no_model(held: tuple[bindrt.Model, SimulatedEngine]) -> None:
    model, engine = held
    for policy in ("latest", "even"):
        stream = model.live("audio", rate=RATE, hop=0.1, policy=policy)
        push_all(stream, waveform(10.0, 1, RATE))
        assert stream.stats()["pushed"] == 100
    assert not engine.gate.is_set()


def test_a_bad_frame_is_a_result_with_an_error(tiny: bindrt.Model) -> None:
    with tiny.live("thermal", policy="all") as stream:
        stream.push(np.zeros((4, 4), np.uint16), time=0.0)
        stream.push(np.zeros((4, 4), np.uint8), time=1.0)
    bad, good = stream
    assert (bad.start, bad.end) == (0.0, 0.0)
    assert "need a range" in str(bad.error)
    assert np.isnan(bad.vector).all()
    assert good.error is None
    assert stream.stats()["failed"] == 1


def test_a_bad_block_is_an_error_of_push(tiny: bindrt.Model) -> None:
    with tiny.live("audio", rate=RATE) as stream:
        with pytest.raises(bindrt.InputError, match="1 channels"):
            stream.push(np.zeros((2, 10), np.float32))
        with pytest.raises(bindrt.InputError, match="its time"):
            stream.push(np.zeros(10, np.float32), time="now")  # type: ignore[arg-type]
        assert stream.stats()["pushed"] == 0


def test_an_engine_that_fails_stalls_nothing(held: tuple[bindrt.Model, SimulatedEngine]) -> None:
    class Failing(SimulatedEngine):
        def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
            raise bindrt.EngineError("simulated", "it is broken")

    with bindrt.load("tiny", engines={"audio": Failing()}) as model:
        with model.live("audio", rate=RATE, policy="all", queue=99) as stream:
            push_all(stream, waveform(4.0, 1, RATE))
        found = list(stream)
    assert [w.start for w in found] == [0.0, 1.0, 2.0]
    assert all("it is broken" in str(w.error) for w in found)


def test_a_closed_stream_takes_nothing_and_ends_its_readers(tiny: bindrt.Model) -> None:
    stream = tiny.live("audio", rate=RATE)
    readers = [threading.Thread(target=list, args=(stream,)) for _ in range(3)]
    for reader in readers:
        reader.start()
    stream.close()
    stream.close(drain=True)
    for reader in readers:
        reader.join(60)
        assert not reader.is_alive()
    with pytest.raises(bindrt.ClosedError, match="the stream is closed"):
        stream.push(np.zeros(10, np.float32))


def test_closing_without_draining_drops_what_waits(held: tuple[bindrt.Model, SimulatedEngine]) -> None:
    model, engine = held
    stream = model.live("audio", rate=RATE, window=1.0, hop=0.5, policy="all", queue=50)
    push_all(stream, waveform(9.0, 1, RATE))
    until(lambda: stream.stats()["in_model"] == 17)
    closing = threading.Thread(target=stream.close)
    closing.start()
    engine.gate.set()
    closing.join(60)
    assert not closing.is_alive()
    stats = stream.stats()
    assert stats["delivered"] + stats["dropped"] == 17


def test_closing_the_model_ends_its_streams() -> None:
    model = bindrt.load("tiny")
    stream = model.live("audio", rate=RATE)
    push_all(stream, waveform(2.0, 1, RATE))
    model.close(drain=True)
    assert [w.start for w in stream] == [0.0]
    with pytest.raises(bindrt.ClosedError):
        stream.push(np.zeros(10, np.float32))


def test_a_stream_may_be_closed_by_its_callback(tiny: bindrt.Model) -> None:
    streams: list[LiveStream] = []
    stream = tiny.live("image", on_result=lambda window: streams[0].close())
    streams.append(stream)
    stream.push(picture(), time=0.0)
    until(lambda: stream.closed)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_in_a_forked_child_a_stream_is_an_error(tiny: bindrt.Model) -> None:
    stream = tiny.live("audio", rate=RATE)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            stream.push(np.zeros(10, np.float32))
        except bindrt.ForkError:
            stream.close(drain=True)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    stream.close()


def test_many_streams_at_once(tiny: bindrt.Model) -> None:
    wave = waveform(4.0, 1, RATE)
    streams = [tiny.live("audio", rate=RATE, policy="all", queue=99) for _ in range(8)]
    streams += [tiny.live("imu", rate=400, policy="all", queue=99) for _ in range(8)]
    for at in range(0, 64000, 1600):
        for stream in streams[:8]:
            stream.push(wave[:, at : at + 1600])
        for stream in streams[8:]:
            stream.push(np.ones((6, 60)))
    for stream in streams:
        stream.close(drain=True)
    assert [len(list(stream)) for stream in streams] == [3] * 8 + [2] * 8
    assert sum(stream.stats()["dropped"] for stream in streams) == 0


@pytest.mark.parametrize(
    ("modality", "options", "text"),
    [
        ("text", {}, "no sensor gives it"),
        ("audio", {}, "sound needs its rate"),
        ("audio", {"rate": RATE, "policy": "some"}, "policy='some'"),
        ("audio", {"rate": RATE, "queue": 0}, "queue=0"),
        ("audio", {"rate": RATE, "on_result": 3}, "on_result=3"),
        ("audio", {"rate": RATE, "priority": 5000}, "priority=5000"),
        ("audio", {"rate": RATE, "fps": 3}, "fps="),
        ("audio", {"rate": RATE, "hop": "1"}, "hop='1'"),
        ("depth", {"camera": "realsense", "volume": 3}, "volume="),
    ],
)
def test_bad_options_are_errors(
    tiny: bindrt.Model, modality: Any, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(bindrt.OptionError, match=text):
        tiny.live(modality, **options)


def test_staleness_is_measured(tiny: bindrt.Model) -> None:
    with tiny.live("image", policy="all") as stream:
        stream.push(picture(), time=0.0)
    (one,) = stream
    told = stream.stats()["staleness"]
    assert told["count"] == 1
    assert told["last"] == told["max"] == pytest.approx(one.staleness)
