"""Faults planted in the CUDA kernels: each must be reported by the build that is made for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import cpp


@dataclass(frozen=True)
class Fault:
    """`old`, which stands in the kernel's file exactly once, becomes `new`; the op's test then must fail."""

    name: str
    op: str  # kernels/<op>_cuda.cu or tests/cudasim/<op>_cuda.cu
    old: str
    new: str
    kind: str  # the build that reports it
    report: str  # regular expression of what it says
    options: str = "order=forward"
    header: str = ""  # the fault is in this file, which the kernel's includes

    @property
    def kernel(self) -> Path:
        ours = cpp.ROOT / "kernels" / f"{self.op}_cuda.cu"
        return ours if ours.exists() else cpp.ROOT / "tests" / "cudasim" / f"{self.op}_cuda.cu"

    def damaged(self) -> str:
        """The file's text with the fault; ValueError if `old` does not stand there exactly once."""
        path = cpp.ROOT / self.header if self.header else self.kernel
        text = path.read_text()
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: the text to replace stands {count} times in {path.name}")
        return text.replace(self.old, self.new)

    def files(self) -> dict[str, str]:
        """What to compile: the kernel, and the header that its includes find first."""
        if not self.header:
            return {self.kernel.name: self.damaged()}
        return {self.kernel.name: self.kernel.read_text(), self.header: self.damaged()}


OUT_OF_BOUNDS = "AddressSanitizer: (use-after-poison|heap-buffer-overflow|global-buffer-overflow)"
RACE = "cudasim: .*: race: "
UNWRITTEN = "read of memory that nothing wrote"

EXAMPLE = (
    Fault(
        "example_write_below_picture",
        "example",
        "if (x >= p.width || y >= p.height)",
        "if (x >= p.width)",
        "address",
        OUT_OF_BOUNDS,
    ),
    Fault(
        "example_write_below_picture_plain",
        "example",
        "if (x >= p.width || y >= p.height)",
        "if (x >= p.width)",
        "plain",
        "a kernel wrote at 0 bytes after the end of an allocation",
    ),
    Fault(
        "example_beyond_dynamic_shared",
        "example",
        "    tile[index] = static_cast<float>(",
        "    tile[index + p.tile_capacity] = static_cast<float>(",
        "address",
        "AddressSanitizer: heap-buffer-overflow",
    ),
    Fault(
        "example_beyond_static_shared",
        "example",
        "    partial[warp] = sum;",
        # through volatile: else UBSan's object sizes find it before the zone behind the array does
        "    float* volatile beyond = partial;\n    beyond[warp + 32] = sum;",
        "address",
        "AddressSanitizer: global-buffer-overflow",
    ),
    Fault(
        "example_no_barrier_after_load",
        "example",
        "  __syncthreads();\n  const int x = first_x",
        "  const int x = first_x",
        "race",
        # the neighbour has not written yet in this order; in another one it is a race
        f"{UNWRITTEN}|{RACE}",
    ),
    Fault(
        "example_no_barrier_in_sum",
        "example",
        "  __syncthreads();\n  if (threadIdx.x == 0)",
        "  if (threadIdx.x == 0)",
        "race",
        RACE + "a write, then a read",
        "order=reverse",
    ),
    Fault(
        "example_no_barrier_in_sum_plain",
        "example",
        "  __syncthreads();\n  if (threadIdx.x == 0)",
        "  if (threadIdx.x == 0)",
        "plain",
        r"[1-9]\d* failed",  # wrong sums
    ),
    Fault(
        "example_not_cleared",
        "example",
        "  counts[threadIdx.x] = 0;  // blockDim.x is 256\n",
        "",
        "race",
        UNWRITTEN + ", byte .* of shared memory",
    ),
    Fault(
        "example_not_cleared_plain",
        "example",
        "  counts[threadIdx.x] = 0;  // blockDim.x is 256\n",
        "",
        "plain",
        r"[1-9]\d* failed",
    ),
    Fault(
        "example_lost_update",
        "example",
        "atomicAdd(&counts[p.values[index]], 1U);",
        "counts[p.values[index]] += 1U;",
        "race",
        RACE + "(two writes|a write, then a read)",
    ),
    Fault(
        "example_all_lanes_write_the_same",
        "example",
        "  if (threadIdx.x % cuda::kWarp == 0) {",
        "  if (threadIdx.x % cuda::kWarp < 2) {",
        "race",
        RACE + "two writes",
    ),
    Fault(
        "example_unwritten_but_unused",
        "example",
        "    for (unsigned index = 0; index < blockDim.x / cuda::kWarp; ++index) {\n"
        "      total += partial[index];",
        "    for (unsigned index = 0; index < 32; ++index) {\n"
        "      const volatile float& read = partial[index];\n"
        "      const float value = read;\n"
        "      total += index < blockDim.x / cuda::kWarp ? value : 0.0F;",
        "race",
        UNWRITTEN,
    ),
    Fault(
        "example_column_left_out",
        "example",
        "if (x >= p.width || y >= p.height)",
        "if (x >= p.width - 1 || y >= p.height)",
        "race",
        "copy from the device: nothing wrote byte",
    ),
    Fault(
        "example_barrier_after_return",
        "example",
        "    return;\n  }\n  const float at_x",
        "    return;\n  }\n  __syncthreads();\n  const float at_x",
        "plain",
        r"a barrier after some threads returned: .* at the barrier in .*example_cuda\.cu:\d+",
    ),
)

AUDIO = (
    Fault(
        "resample_writes_past_the_range",
        "resample",
        "if (index < item.first || index >= item.first + item.count) {",
        "if (index < item.first) {",
        "address",
        OUT_OF_BOUNDS,
    ),
    Fault(
        "resample_no_barrier_after_load",
        "resample",
        "  __syncthreads();\n  for (std::int64_t i = threadIdx.x; i < (end",
        "  for (std::int64_t i = threadIdx.x; i < (end",
        "race",
        f"{UNWRITTEN}|{RACE}",
    ),
    Fault(
        "mel_no_barrier_between_passes",
        "mel",
        "  __syncwarp();\n  middle_pass<16>",
        "  middle_pass<16>",
        "race",
        f"{UNWRITTEN}|{RACE}",
    ),
    Fault(
        "mel_no_barrier_before_the_next_frame",
        "mel",
        "  __syncwarp();  // before the next frame's samples\n",
        "",
        "race",
        RACE,
    ),
    Fault(
        "mel_last_frame_left_out",
        "mel",
        "recording.shared[clip] && frame < frames) {",
        "recording.shared[clip] && frame < frames - 1) {",
        "race",
        UNWRITTEN + ", byte .* of shared memory",
    ),
    Fault(
        "mel_reads_past_the_clip",
        "mel",
        "    float sample = clip[begin + i];",
        "    float sample = clip[begin + i + 1];",
        "address",
        OUT_OF_BOUNDS,
    ),
)

IMAGE = (
    Fault(
        "image_row_below_those_kept",
        "image",
        "if (x >= p.side || y >= item.down.inputs) {",
        "if (x >= p.side) {",
        "address",
        OUT_OF_BOUNDS,
    ),
    Fault(
        "image_column_left_out",
        "image",
        "if (x >= p.side || y >= p.side) {",
        "if (x >= p.side - 1 || y >= p.side) {",
        "race",
        "copy from the device: nothing wrote byte",
    ),
    Fault(
        "image_one_tap_too_many",
        "image",
        "for (std::int32_t k = item.across.lengths[x]; k > 0; --k) {",
        "for (std::int32_t k = item.across.lengths[x]; k >= 0; --k) {",
        "address",
        OUT_OF_BOUNDS,
    ),
)

FAULTS = (*EXAMPLE, *AUDIO, *IMAGE)


def plant(tree: Path, kinds: tuple[str, ...]) -> None:
    """Write the damaged files for a build tree, and nothing else, where its CMake looks for them."""
    wanted: dict[Path, str] = {}
    for fault in FAULTS:
        if fault.kind not in kinds:
            continue
        try:
            files = fault.files()
        except (ValueError, OSError):
            continue  # its own test says so
        folder = tree / "faults" / fault.kind / fault.name
        wanted.update({folder / name: text for name, text in files.items()})
    for path in (tree / "faults").rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
