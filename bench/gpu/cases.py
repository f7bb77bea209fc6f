"""What is run on the GPU, with which inputs, and how close to the CPU's result it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import _core

Array = npt.NDArray[Any]
#: What the device made, and `bindrt._core.gpu`'s ``OpTimes``: the seconds of each round.
Result = tuple[Array, dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One op on one input.

    Attributes:
        op: the op, as in ``kernels/<op>/<op>.h``.
        name: what the input is, for people.
        cpu: computes the right result.
        gpu: computes it on a device, a given number of times; returns the result and the seconds.
        tolerance: the largest difference from ``cpu`` that is allowed; 0 means the same bits.
        bytes: the least that the device must read from and write to its memory.
    """

    op: str
    name: str
    cpu: Callable[[], Array]
    gpu: Callable[[int], Result]
    tolerance: float
    bytes: int


def cases(small: bool) -> Iterator[Case]:
    """All cases: small ones for the simulator and the tests, or those that are measured."""
    yield from resample(small)
    yield from halves(small)
    for half in (False, True):
        for op in (mel, image, video, depth, thermal, imu, pool):
            yield from op(small, half)


def number_type(half: bool) -> str:
    return "float16" if half else "float32"


def cpu_of(one: Callable[[Any], Array], items: Sequence[Any]) -> Callable[[], Array]:
    """The CPU side, which takes an item at a time."""
    return lambda: np.stack([one(item) for item in items])


def sizes(small: bool, many: int) -> list[tuple[int, int]]:
    """Widths and heights: a few that differ much, or ``many`` that are equal."""
    return [(31, 47), (300, 225), (224, 224), (1, 9)] if small else [(640, 480)] * many


def resample(small: bool) -> Iterator[Case]:
    rng = np.random.default_rng(3)
    for orig in (44100, 8000, 16000):
        items, count = (2, 500) if small else (256, 2 * orig)
        samples = rng.uniform(-1, 1, (items, count)).astype(np.float32)
        outputs = -(-count * 16000 // orig)

        def one(item: Array, orig: int = orig) -> Array:
            return _core.resample(item, orig, 16000)

        def gpu(rounds: int, samples: Array = samples, orig: int = orig) -> Result:
            return _core.gpu.resample(samples, orig, 16000, rounds=rounds)

        name = f"{items} of {count} samples at {orig} Hz to 16 kHz"
        yield Case("resample", name, cpu_of(one, samples), gpu, 0.0, 4 * items * (count + outputs))


def halves(small: bool) -> Iterator[Case]:
    """Rows of float32 that an encoder of half precision takes: among them what is too large or too small."""
    rows = np.random.default_rng(9).standard_normal((3, 1001) if small else (256, 3 * 224 * 224), np.float32)
    rows[0, :8] = (0, -0.0, 1e-7, 6e-8, 65519, 65520, np.inf, -np.inf)

    def cpu() -> Array:
        with np.errstate(over="ignore"):
            return rows.astype(np.float16)

    name = f"{len(rows)} rows of {rows.shape[1]} numbers to float16"
    yield Case("half", name, cpu, lambda rounds: _core.gpu.to_halves(rows, rounds=rounds), 0.0, 6 * rows.size)


def mel(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(4)
    items, length = (2, 1300) if small else (256, 32_000)
    # Where clips overlap, means are added up in another order.
    nearest = 2e-3 if half else 1e-5
    for step, tolerance in ((length, 0.0), (length // 2 + 7, nearest)):
        ranges = [(i * step, i * step + length) for i in range(3)]
        samples = rng.normal(0.1, 0.2, (items, ranges[-1][1])).astype(np.float32)

        def one(item: Array, ranges: list[tuple[int, int]] = ranges) -> Array:
            means = [float(item[begin:end].mean(dtype=np.float64)) for begin, end in ranges]
            return _core.mel_clips(item, ranges, means, half=half)

        def cpu(samples: Array = samples, one: Callable[[Array], Array] = one) -> Array:
            return np.concatenate([one(item) for item in samples])

        def gpu(rounds: int, samples: Array = samples, ranges: list[tuple[int, int]] = ranges) -> Result:
            return _core.gpu.mel_clips(samples, ranges, half=half, rounds=rounds)

        name = f"{items} of 3 clips of {length} samples{', overlapping' if tolerance else ''}"
        moved = 4 * samples.size + (2 if half else 4) * items * 3 * 128 * 204
        yield Case("mel", f"{name}, {number_type(half)}", cpu, gpu, tolerance, moved)


def squares(items: Sequence[Array]) -> int:
    """Bytes of the centre squares, which is what must be read."""
    return sum(min(item.shape[:2]) ** 2 * item[0, 0].nbytes for item in items)


def image(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(5)
    for layout, channels in (("RGB", (3,)), ("BGRA", (4,)), ("L", ())):
        pixels = [rng.integers(0, 256, (h, w, *channels), np.uint8) for w, h in sizes(small, 64)]

        def one(item: Array, layout: str = layout) -> Array:
            return _core.image_input(item, layout, half)

        def gpu(rounds: int, pixels: list[Array] = pixels, layout: str = layout) -> Result:
            return _core.gpu.image_input(pixels, layout, half=half, rounds=rounds)

        name = f"{len(pixels)} {layout} images, {number_type(half)}"
        moved = squares(pixels) + (2 if half else 4) * len(pixels) * 3 * 224 * 224
        yield Case("image", name, cpu_of(one, pixels), gpu, 0.0, moved)


def video(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(6)

    def picture(format: str, width: int, height: int) -> _core.Picture:
        if format == "rgb24":
            return _core.Picture(rng.integers(0, 256, (height, width, 3), np.uint8))
        chroma = (width + 1) // 2 * (2 if format == "nv12" else 1)
        lines = [width + 3, *[chroma + 5] * (1 if format == "nv12" else 2)]
        rows = [height, *[(height + 1) // 2] * (len(lines) - 1)]
        planes = [rng.integers(0, 256, line * n, np.uint8) for line, n in zip(lines, rows, strict=True)]
        return _core.Picture(format, width, height, planes, lines, "bt709")

    number = np.float16 if half else np.float32
    for format, turns, per_pixel in (("yuv420p", 0, 1.5), ("nv12", 1, 1.5), ("rgb24", 3, 3.0)):
        shapes = [(31, 47), (300, 226)] if small else [(640, 360)] * 64
        pictures = [picture(format, *shape) for shape in shapes]

        def one(item: _core.Picture, turns: int = turns) -> Array:
            out = np.empty((3, 3, 1, 224, 224), number)
            _core.video_crops(item, out, [(crop, crop, 0) for crop in range(3)], turns)
            return out[:, :, 0]

        def gpu(rounds: int, pictures: list[_core.Picture] = pictures, turns: int = turns) -> Result:
            return _core.gpu.video_crops(pictures, quarter_turns=turns, half=half, rounds=rounds)

        name = f"{len(pictures)} {format} frames, {turns} quarter turns, {number_type(half)}"
        read = int(per_pixel * sum(w * h for w, h in shapes))
        moved = read + (2 if half else 4) * len(pictures) * 9 * 224 * 224
        yield Case("video", name, cpu_of(one, pictures), gpu, 0.0, moved)


def depth(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(7)
    camera = (518.8579, 0.075, 8.0)
    for unit, number, most in (("mm", np.uint16, 9000), ("m", np.float32, 9), ("sunrgbd", np.uint16, 65535)):
        maps = [rng.uniform(0, most, (h, w)).astype(number) for w, h in sizes(small, 64)]
        for one_map in maps:
            one_map[::7, ::3] = 0  # missing

        def one(item: Array, unit: str = unit) -> Array:
            return _core.depth_square(item, unit, *camera, half=half)[0]

        def gpu(rounds: int, maps: list[Array] = maps, unit: str = unit) -> Result:
            squares, missing, seconds = _core.gpu.depth_square(maps, unit, *camera, half=half, rounds=rounds)
            assert missing.tolist() == [int((item == 0).sum()) for item in maps], missing
            return squares, seconds

        name = f"{len(maps)} {np.dtype(number).name} maps, {unit}, {number_type(half)}"
        # All pixels are looked at for missing ones.
        moved = sum(item.nbytes for item in maps) + squares_out(len(maps), half)
        yield Case("depth", name, cpu_of(one, maps), gpu, 0.0, moved)


def squares_out(items: int, half: bool) -> int:
    return (2 if half else 4) * items * 224 * 224


def thermal(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(8)
    for number, most, reach in (
        (np.uint16, 65535, (7000, 41000)),
        (np.float32, 60, (5, 40)),
        (np.uint8, 255, ()),
    ):
        frames = [rng.uniform(0, most, (h, w)).astype(number) for w, h in sizes(small, 64)]

        def one(item: Array, reach: tuple[int, ...] = reach) -> Array:
            return _core.thermal_square(item, *reach, half=half)

        def gpu(rounds: int, frames: list[Array] = frames, reach: tuple[int, ...] = reach) -> Result:
            return _core.gpu.thermal_square(frames, *reach, half=half, rounds=rounds)

        name = f"{len(frames)} {np.dtype(number).name} frames, {number_type(half)}"
        yield Case(
            "thermal", name, cpu_of(one, frames), gpu, 0.0, squares(frames) + squares_out(len(frames), half)
        )


def pool(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(1)
    items, dim = (3, 70) if small else (4096, 1024)
    for weighted in (False, True):
        counts = rng.integers(1, 16, items)
        rows = int(counts.sum())
        views = rng.standard_normal((rows, dim), np.float32)
        weights = rng.random(rows, np.float32) if weighted else None

        def cpu(v: Array = views, c: Array = counts, w: Array | None = weights) -> Array:
            pooled = _core.pool_views(v, c, w, scale=20.0)
            return pooled.astype(np.float16) if half else pooled

        def gpu(rounds: int, v: Array = views, c: Array = counts, w: Array | None = weights) -> Result:
            return _core.gpu.pool_views(v, c, w, scale=20.0, half=half, rounds=rounds)

        name = f"{rows} views of {items} items, {dim} numbers{', weights' if weighted else ''}"
        size = 2 if half else 4
        # Both sum in double and round once; sums of squares in another order may round to the neighbour.
        nearest = 2.0**-11 if half else 2.0**-24
        yield Case(
            "pool",
            f"{name}, {number_type(half)}",
            cpu,
            gpu,
            16 * 2 * nearest,
            4 * views.size + size * items * dim,
        )


def imu(small: bool, half: bool) -> Iterator[Case]:
    rng = np.random.default_rng(2)
    items, count, rate = (2, 90, 97.3) if small else (256, 1000, 200.0)
    samples = rng.standard_normal((items, 6, count), np.float32)
    gain, offset = [0.5] * 3 + [2.0] * 3, [0.25, 0, 0, -1, 0, 0]
    used = _core.check_imu_times(rate, count, float("inf"))["used"]

    def cpu() -> Array:
        grids = (_core.imu_grid(item[:, :used], rate, gain, offset, half=half)[0] for item in samples)
        return np.stack(list(grids))

    def gpu(rounds: int) -> Result:
        grids, bad, seconds = _core.gpu.imu_grid(samples, rate, gain, offset, half=half, rounds=rounds)
        assert not bad.any(), bad
        return grids, seconds

    size = 2 if half else 4
    moved = 4 * items * 6 * used + size * items * 6 * 2000
    yield Case("imu", f"{items} of {count} samples at {rate:g} Hz, {number_type(half)}", cpu, gpu, 0.0, moved)
