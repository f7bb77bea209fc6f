"""The faults that are planted in each op's kernels (cudasim_faults.py plants them)."""

from __future__ import annotations

from .cudasim_faults import Fault

OUT_OF_BOUNDS = "AddressSanitizer: (use-after-poison|heap-buffer-overflow|global-buffer-overflow)"
RACE = "cudasim: .*: race: "
UNWRITTEN = "read of memory that nothing wrote"
DEVICE = "kernels/base/cuda/device.h"

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

POOL = (
    Fault(
        "pool_column_too_many",
        "pool",
        "column < p.dim; column += blockDim.x) {\n    store(",
        "column <= p.dim; column += blockDim.x) {\n    store(",
        "address",
        OUT_OF_BOUNDS,
    ),
    Fault(
        "pool_no_barrier",
        "pool",
        "    partial[warp] = value;\n  }\n  __syncthreads();\n",
        "    partial[warp] = value;\n  }\n",
        "race",
        f"{UNWRITTEN}|{RACE}",
        header=DEVICE,
    ),
    Fault(
        "pool_warps_left_out",
        "pool",
        "  if (threadIdx.x % kWarp == 0U) {",
        "  if (threadIdx.x == 0U) {",
        "race",
        UNWRITTEN + ", byte .* of shared memory",
        header=DEVICE,
    ),
)

IMU = (
    Fault(
        "imu_step_too_many",
        "imu",
        "if (step >= kImuSteps) {",
        "if (step > kImuSteps) {",
        "address",
        OUT_OF_BOUNDS,
    ),
    Fault(
        "imu_all_threads_write_the_count",
        "imu",
        "  if (threadIdx.x == 0) {\n    p.not_finite[blockIdx.x] = bad;\n  }",
        "  p.not_finite[blockIdx.x] = bad;",
        "race",
        RACE + "two writes",
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

VIDEO = (
    Fault(
        "video_one_pixel_further",
        "video",
        "item.place + colour * item.colour_stride + pixel, value);",
        "item.place + colour * item.colour_stride + pixel + 1, value);",
        "address",
        OUT_OF_BOUNDS,
    ),
)

MAPS = (
    Fault(
        "map_row_below_those_kept",
        "map_square",
        "if (y >= item.down.inputs || x >= kPictureSide) {",
        "if (x >= kPictureSide) {",
        "address",
        OUT_OF_BOUNDS,
    ),
    Fault(
        "map_row_left_out",
        "map_square",
        "if (y >= item.down.inputs || x >= kPictureSide) {",
        "if (y >= item.down.inputs - 1 || x >= kPictureSide) {",
        "race",
        UNWRITTEN + ", byte .* of a device allocation",
    ),
    Fault(
        "map_lost_update_of_the_count",
        "map_square",
        "    atomicAdd(item.missing, count);",
        "    *item.missing += count;",
        "race",
        RACE,
    ),
)

FAULTS = (*EXAMPLE, *AUDIO, *POOL, *IMU, *IMAGE, *VIDEO, *MAPS)
