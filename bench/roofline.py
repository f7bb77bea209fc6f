"""The least time that the GPU kernels could take at the limits of some GPUs. Calculated, not measured.

Bytes are those that must come from or go to device memory if caches keep what neighbours share; operations
are counted in the kernels' sources. The time is the larger of bytes over bandwidth and operations over peak;
a launch (some 3 µs) comes on top and is more than most of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from bench.gpus import GPUS, Gpu

SIDE = 224
PLANE = SIDE * SIDE


@dataclass(frozen=True)
class KernelWork:
    """What one kernel reads, writes (bytes) and computes for one item."""

    kernel: str
    item: str
    read: float
    written: float
    operations: float  # float32 or 32-bit integers
    doubles: float = 0.0

    def seconds(self, gpu: Gpu) -> float:
        moved = (self.read + self.written) / gpu.bandwidth
        return max(moved, self.operations / gpu.float32 + self.doubles / gpu.float64)


def image(width: int, height: int) -> list[KernelWork]:
    """Taps across and down are 4·scale + 1 wide; only the centre square's columns are read."""
    short = min(width, height)
    taps = 4 * short / SIDE + 1
    name = f"{width}×{height} RGB, float16 out"
    across = short * SIDE * 3  # bytes between the passes
    return [
        KernelWork("image_across", name, short * short * 3, across, 2 * across * taps),
        KernelWork("image_down", name, across, PLANE * 3 * 2, 2 * PLANE * 3 * taps),
    ]


def depth(width: int, height: int) -> list[KernelWork]:
    short = min(width, height)
    taps = 2 * short / SIDE + 1
    name = f"{width}×{height} uint16, float16 out"
    between = short * SIDE * 4
    converted = short * SIDE * taps  # pixels are converted once for each tap
    return [
        KernelWork("depth_missing", name, width * height * 2, 8, width * height),
        KernelWork("map_across", name, short * short * 2, between, 12 * converted, 2 * converted),
        KernelWork("map_down", name, between, PLANE * 2, 0, 2 * PLANE * taps + 2 * PLANE),
    ]


def video(width: int, height: int) -> list[KernelWork]:
    """Four conversions (some 20 operations each) and nine blends of three operations a pixel, three crops."""
    pixels = 3 * PLANE
    operations = pixels * (4 * 20 + 3 * 3 * 4 + 3 * 3)
    name = f"{width}×{height} YUV420P frame, 3 crops, float16 out"
    return [KernelWork("video_crops", name, width * height * 1.5, pixels * 3 * 2, operations)]


def audio() -> list[KernelWork]:
    """A frame's transform is 5·N·log2(N) operations for N complex points; bands are some 500 products."""
    outputs, taps = 32_000, 37  # 2 s from 44.1 kHz; 12·orig/base taps, padded to lanes: 40
    frames = 198
    transform = 5 * 256 * 8 + 10 * 256
    return [
        KernelWork("resample", "2 s of a channel, 44.1 → 16 kHz", 352_800, outputs * 4,
             2 * outputs * (taps + 3)),
        KernelWork("mel", "2 s at 16 kHz, float16 out", 32_000 * 4, 128 * 204 * 2,
             frames * (2 * 500 + 20 * 128), frames * (transform + 6 * 400 + 4 * 257)),
    ]  # fmt: skip


def small() -> list[KernelWork]:
    return [
        KernelWork("imu_check", "5 s at 200 Hz, float32", 6 * 1000 * 4, 4, 6 * 1000 * 2),
        KernelWork(
            "imu_grid", "5 s at 200 Hz, float16 out", 6 * 1000 * 4, 6 * 2000 * 2, 2000 * 10, 6 * 2000 * 5
        ),
        KernelWork("pool_views", "15 views of 1024", 15 * 1024 * 4, 1024 * 4, 0, 2 * 2 * 15 * 1024),
    ]


def works() -> list[KernelWork]:
    return [*image(640, 480), *image(1920, 1080), *video(640, 360), *audio(), *depth(640, 480), *small()]


def table(found: Sequence[KernelWork]) -> str:
    """Markdown, times in microseconds."""
    lines = [
        "| kernel | one item | read | written | operations | "
        + " | ".join(f"{gpu.name}, calculated" for gpu in GPUS)
        + " |",
        "|---" * (5 + len(GPUS)) + "|",
    ]
    for work in found:
        total = work.operations + work.doubles
        mark = " (float64)" if work.doubles > work.operations else ""
        times = " | ".join(f"{1e6 * work.seconds(gpu):.2f} µs" for gpu in GPUS)
        lines.append(
            f"| `{work.kernel}` | {work.item} | {work.read / 1e3:,.0f} kB | {work.written / 1e3:,.0f} kB "
            f"| {total / 1e6:.2f} M{mark} | {times} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="python -m bench roofline", description=__doc__).parse_args(arguments)
    print(table(works()))
    return 0
