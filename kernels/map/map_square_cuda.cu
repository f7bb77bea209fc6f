// Depth and thermal squares: a block a row, a thread a column. The pass along rows reads the map and leaves
// floats in scratch memory; the pass down finishes. Sums are in double and in the order of the CPU.
#include "kernels/base/cuda/device.h"
#include "kernels/map/map_square_params.h"

namespace {

using namespace bindrt::kernels;

// The contract has integers with this unit; the others are there for the compiler.
template <class Integer>
BINDRT_HD float sun_rgbd_pixel(Integer value) {
  return known_sun_rgbd(value);
}
BINDRT_HD float sun_rgbd_pixel(float) { return 0.0F; }
BINDRT_HD float sun_rgbd_pixel(double) { return 0.0F; }

// One pixel of a map as the float that is resized.
struct Converted {
  const MapItem& item;
  std::int32_t x;
  float& value;

  template <class Number>
  BINDRT_HD void operator()(const Number* row) const {
    if (item.meaning == MapMeaning::kThermal) {
      value = stretched(static_cast<double>(row[x]), item.thermal);
    } else if (item.meaning == MapMeaning::kDepth) {
      value = scaled_disparity(known_depth(row[x]), item.depth);
    } else {
      value = scaled_disparity(sun_rgbd_pixel(row[x]), item.depth);
    }
  }
};

struct CountMissing {
  std::int32_t begin;
  std::int32_t step;
  std::int32_t width;
  unsigned long long& count;

  template <class Number>
  BINDRT_HD void operator()(const Number* row) const {
    for (std::int32_t x = begin; x < width; x += step) {
      count += depth_is_known(row[x]) ? 0U : 1U;
    }
  }
};

}  // namespace

extern "C" __global__ void __launch_bounds__(256) bindrt_depth_missing(MapSquareParams p) {
  __shared__ unsigned long long partial[32];
  const MapItem& item = p.items[blockIdx.y];
  unsigned long long count = 0;
  const CountMissing use{static_cast<std::int32_t>(threadIdx.x), static_cast<std::int32_t>(blockDim.x),
                         item.map.width, count};
  for (std::int32_t y = static_cast<std::int32_t>(blockIdx.x); y < item.map.height;
       y += static_cast<std::int32_t>(gridDim.x)) {
    with_map_row(item.map, y, use);
  }
  count = cuda::block_reduce(count, partial, cuda::Sum());
  if (threadIdx.x == 0 && count != 0) {
    atomicAdd(item.missing, count);
  }
}

extern "C" __global__ void __launch_bounds__(256) bindrt_map_across(MapSquareParams p) {
  const MapItem& item = p.items[blockIdx.y];
  const std::int32_t y = static_cast<std::int32_t>(blockIdx.x);
  const std::int32_t x = static_cast<std::int32_t>(threadIdx.x);
  if (y >= item.down.inputs || x >= kPictureSide) {
    return;
  }
  const double* const weights = item.across.weights + static_cast<std::int64_t>(x) * item.across.width;
  double sum = 0.0;
  for (std::int32_t k = 0; k < item.across.lengths[x]; ++k) {
    float value = 0.0F;
    with_map_row(item.map, item.down.first_input + y, Converted{item, item.across.begins[x] + k, value});
    sum += weights[k] * static_cast<double>(value);
  }
  item.middle[static_cast<std::int64_t>(y) * kPictureSide + x] = static_cast<float>(sum);
}

extern "C" __global__ void __launch_bounds__(256) bindrt_map_down(MapSquareParams p) {
  const MapItem& item = p.items[blockIdx.y];
  const std::int32_t y = static_cast<std::int32_t>(blockIdx.x);
  const std::int32_t x = static_cast<std::int32_t>(threadIdx.x);
  if (x >= kPictureSide) {
    return;
  }
  const double* const weights = item.down.weights + static_cast<std::int64_t>(y) * item.down.width;
  const float* from =
      item.middle + static_cast<std::int64_t>(item.down.begins[y] - item.down.first_input) * kPictureSide + x;
  double sum = 0.0;
  for (std::int32_t k = 0; k < item.down.lengths[y]; ++k) {
    sum += weights[k] * static_cast<double>(from[static_cast<std::int64_t>(k) * kPictureSide]);
  }
  double value = sum * item.gain + item.offset;
  value = value < item.low ? item.low : value;
  value = value > item.high ? item.high : value;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * kPictureSide + y;
  store(p.out, p.type, row * kPictureSide + x, static_cast<float>(value));
}
