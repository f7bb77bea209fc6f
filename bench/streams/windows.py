"""Long files: ``windows`` beside decoding alone, and its memory.

A minute of sound and of pictures is encoded once, and its packets are repeated until the file is long enough.
*Decoding* reads the file to its end and drops what comes. *Preparing* makes every window's input as well.
*Embedding* is ``model.windows`` with bind-tiny. They take turns. Beside seconds stand seconds of processor
time: decoding and preparing are two threads, which a busy machine does not run at once.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import av
import numpy as np
import soundfile

import bindrt
from bench.streams.memory import drift, resident
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities.audio import open_recording
from bindrt.sources import open_source
from bindrt.sources.playing import open_playing
from bindrt.sources.recording import in_order
from bindrt.streams.windows import CUTS, Schedule

SUMMARY = "model.windows over long files beside decoding alone"
RATE, FPS, SIZE = 44100, 25, (640, 360)
FORMATS = {"m4a": "audio", "flac": "audio", "wav": "audio", "mp4": "video"}
MINUTE = 60
SETTLED = 200  # items after which engines and decoders have allocated what they hold


def add_options(parser: Any) -> None:
    parser.add_argument("--sound-hours", type=float, default=3.0, help="of each sound file (default 3)")
    parser.add_argument("--video-hours", type=float, default=1.0, help="of the video (default 1)")
    parser.add_argument("--formats", nargs="+", choices=sorted(FORMATS), default=sorted(FORMATS))
    parser.add_argument("--turns", type=int, default=3, help="how often each is measured (default 3)")
    parser.add_argument("--window", type=float, default=2.0)
    parser.add_argument("--hop", type=float, default=1.0)
    parser.add_argument("--embed", action="store_true", help="also embed with bind-tiny")


def run(options: Any) -> dict[str, Any]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.formats:
            hours = options.video_hours if FORMATS[name] == "video" else options.sound_hours
            path = make(Path(folder) / f"long.{name}", round(hours * 60))
            found[name] = {"hours": hours, "bytes": path.stat().st_size, **measured(path, options)}
            path.unlink()
            print(line(name, found[name]), flush=True)
    return found


def measured(path: Path, options: Any) -> dict[str, Any]:
    """Seconds and memory of each way; the medians of the seconds."""
    modality = FORMATS[path.suffix[1:]]
    ways: dict[str, Callable[[], Iterator[object]]] = {
        "decoding": lambda: decode(path, modality),
        "preparing": lambda: prepare(path, modality, options),
    }
    if options.embed:
        ways["embedding"] = lambda: embed(path, modality, options)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    processor: dict[str, list[float]] = {way: [] for way in ways}
    memory: dict[str, dict[str, float]] = {}
    for _ in range(options.turns):
        for way, items in ways.items():
            start, used = perf_counter(), process_time()
            memory[way] = watched(items())
            seconds[way].append(perf_counter() - start)
            processor[way].append(process_time() - used)
    medians = {way: statistics.median(each) for way, each in seconds.items()}
    return {
        "seconds": medians,
        "processor_seconds": {way: statistics.median(each) for way, each in processor.items()},
        "of_decode_speed": medians["decoding"] / medians["preparing"],
        "memory": memory,
    }


def decode(path: Path, modality: str) -> Iterator[object]:
    if modality == "video":
        with open_playing(open_source(path)) as playing:
            yield from playing.frames()
        return
    with open_recording(bindrt.Audio(path), DEFAULT_LIMITS) as recording:
        yield from in_order(recording, DEFAULT_LIMITS, None, None)


def prepare(path: Path, modality: str, options: Any) -> Iterator[object]:
    item = bindrt.Video(path) if modality == "video" else bindrt.Audio(path)
    return CUTS[modality](item, Schedule.of(options.window, options.hop), DEFAULT_LIMITS)


def embed(path: Path, modality: str, options: Any) -> Iterator[object]:
    with bindrt.load("tiny") as model:
        yield from model.windows(**{modality: path}, window=options.window, hop=options.hop)  # type: ignore[arg-type]


def watched(items: Iterator[object]) -> dict[str, float]:
    """Takes all items; resident MiB at most among the first ones, how much more later, and the drift."""
    count, early, most, last = 0, 0.0, 0.0, float("-inf")
    series: list[float] = []
    for _ in items:
        count += 1
        if (now := perf_counter()) - last > 0.02:
            last = now
            series.append(resident())
            most = max(most, series[-1])
            early = most if count <= SETTLED else early
    settled = drift(series) if len(series) >= 4 else 0.0
    return {
        "items": count,
        "early_mib": early,
        "most_mib": most,
        "growth_mib": most - early,
        "drift_mib": settled,
    }


def make(path: Path, minutes: int) -> Path:
    """A recording of so many minutes."""
    if path.suffix in (".flac", ".wav"):
        with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as out:
            for _ in range(minutes):
                out.write((minute_of_sound().T * 32767).astype(np.int16))
        return path
    minute = path.with_name("minute" + path.suffix)
    (_write_pictures if path.suffix == ".mp4" else _write_sound)(minute)
    _repeat(minute, path, minutes)
    minute.unlink()
    return path


def minute_of_sound() -> np.ndarray[Any, Any]:
    """Tones and noise, float32 ``[2, N]``."""
    t = np.arange(MINUTE * RATE) / RATE
    noise = np.random.default_rng(0).normal(0, 0.1, (2, len(t)))
    tones = np.stack([0.3 * np.sin(2 * np.pi * (220 + 3 * t) * t), 0.3 * np.sin(2 * np.pi * 330 * t)])
    return np.asarray(tones + noise, np.float32)


def _write_sound(path: Path) -> None:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("aac", rate=RATE)
        frame = av.AudioFrame.from_ndarray(minute_of_sound(), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _write_pictures(path: Path) -> None:
    """A picture with grain that slides, in groups of 10 s."""
    width, height = SIZE
    wide = np.random.default_rng(0).integers(0, 256, (height // 8, width // 4, 3), np.uint8)
    wide = np.kron(wide, np.ones((8, 8, 1), np.uint8))
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "g": str(10 * FPS)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(MINUTE * FPS):
            shown = np.ascontiguousarray(wide[:, i % width : i % width + width])
            out.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        out.mux(stream.encode(None))


def _repeat(minute: Path, path: Path, times: int) -> None:
    """The packets of a file over and over, each time later."""
    with av.open(str(minute)) as source, av.open(str(path), "w") as out:
        track = (source.streams.video or source.streams.audio)[0]
        stream: Any = out.add_stream_from_template(track)
        packets = [packet for packet in source.demux(track) if packet.size]
        first = min(packet.dts for packet in packets)
        length = sum(packet.duration for packet in packets)
        for turn in range(times):
            for packet in packets:
                copy = av.Packet(bytes(packet))
                copy.time_base, copy.stream = packet.time_base, stream
                copy.pts, copy.dts = (t - first + turn * length for t in (packet.pts, packet.dts))
                copy.duration, copy.is_keyframe = packet.duration, packet.is_keyframe
                out.mux(copy)


def line(name: str, found: dict[str, Any]) -> str:
    seconds, memory = found["seconds"], found["memory"]["preparing"]
    used = found["processor_seconds"]
    parts = [f"{way} {each:.1f} s ({used[way]:.1f} CPU)" for way, each in seconds.items()]
    return (
        f"{name:<5} {found['hours']:g} h: {', '.join(parts)}; {found['of_decode_speed']:.2f} of the speed of"
        f" decoding; {memory['items']:.0f} windows; memory {memory['most_mib']:.0f} MiB,"
        f" {memory['growth_mib']:+.1f} MiB after the first of them, {memory['drift_mib']:+.1f} in the last "
        "quarter beside the second"
    )
