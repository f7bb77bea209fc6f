// Pictures of any sizes to the encoder's input, with the CPU's whole-number arithmetic. The pass across
// leaves bytes in scratch memory, which the pass down finds in the cache.
#include "kernels/base/cuda/device.h"
#include "kernels/image/image_params.h"
#include "kernels/resize/fixed_point.h"

namespace {

using namespace bindrt::kernels;

// The item that a block of the pass across works for.
__device__ __forceinline__ const ImageItem& find_item(const ImageParams& p, std::int64_t block) {
  std::int32_t low = 0;
  std::int32_t high = p.items_count;
  while (high - low > 1) {
    const std::int32_t middle = (low + high) / 2;
    if (p.items[middle].first_block <= block) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return p.items[low];
}

// The sums of one output pixel's channels across a row.
template <int channels>
__device__ __forceinline__ void blend_across(const ImageItem& item, std::int32_t side, std::int32_t x,
                                             const std::uint8_t* row, std::int32_t (&sums)[channels]) {
  const std::uint8_t* pixel = row + static_cast<std::int64_t>(item.across.begins[x]) * item.pixel_bytes;
  const std::int32_t* weight = item.across.weights + x;
  for (std::int32_t k = item.across.lengths[x]; k > 0; --k) {
    for (int channel = 0; channel < channels; ++channel) {
      sums[channel] += *weight * pixel[item.channel_offset[channel]];
    }
    weight += side;
    pixel += item.pixel_bytes;
  }
}

template <int channels>
__device__ __forceinline__ void resize_across(const ImageItem& item, std::int32_t side, std::int32_t x,
                                              std::int32_t y) {
  std::int32_t sums[channels];
  for (std::int32_t& sum : sums) {
    sum = kFixedHalf;
  }
  const std::int64_t source = static_cast<std::int64_t>(item.down.first_input) + y;
  blend_across<channels>(item, side, x, item.pixels + source * item.row_stride, sums);
  for (int channel = 0; channel < channels; ++channel) {
    const std::int64_t row = static_cast<std::int64_t>(channel) * item.down.inputs + y;
    item.resized[row * side + x] = fixed_to_byte(sums[channel]);
  }
}

__device__ __forceinline__ std::uint8_t resize_down(const ImageItem& item, std::int32_t side, std::int32_t x,
                                                    std::int32_t y, int channel) {
  const std::int64_t row =
      static_cast<std::int64_t>(channel) * item.down.inputs + item.down.begins[y] - item.down.first_input;
  const std::uint8_t* pixel = item.resized + row * side + x;
  const std::int32_t* weight = item.down.weights + y;
  std::int32_t sum = kFixedHalf;
  for (std::int32_t k = item.down.lengths[y]; k > 0; --k) {
    sum += *weight * *pixel;
    weight += side;
    pixel += side;
  }
  return fixed_to_byte(sum);
}

}  // namespace

// A thread a pixel of a source row resized across; blocks of all items stand in one row.
extern "C" __global__ void __launch_bounds__(256) bindrt_image_across(ImageParams p) {
  const ImageItem& item = find_item(p, blockIdx.x);
  const std::int64_t block = blockIdx.x - item.first_block;
  const std::int64_t columns = (p.side + kImageBlockColumns - 1) / kImageBlockColumns;
  const auto x = static_cast<std::int32_t>(block % columns * kImageBlockColumns + threadIdx.x);
  const auto y = static_cast<std::int32_t>(block / columns * kImageBlockRows + threadIdx.y);
  if (x >= p.side || y >= item.down.inputs) {
    return;
  }
  if (item.channels == 3) {
    resize_across<3>(item, p.side, x, y);
  } else {
    resize_across<1>(item, p.side, x, y);
  }
}

// A thread a pixel of the square; z is the item.
extern "C" __global__ void __launch_bounds__(256) bindrt_image_down(ImageParams p) {
  const auto x = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x);
  const auto y = static_cast<std::int32_t>(blockIdx.y * blockDim.y + threadIdx.y);
  if (x >= p.side || y >= p.side) {
    return;
  }
  const ImageItem& item = p.items[blockIdx.z];
  std::uint8_t byte = 0;
#pragma unroll  // so that no plane's numbers need an address
  for (int plane = 0; plane < 3; ++plane) {
    if (plane >= p.scale.planes) {
      return;
    }
    if (plane < item.channels) {  // a grey picture is repeated
      byte = resize_down(item, p.side, x, y, plane);
    }
    const float value = scale_byte(p.scale, plane, byte);
    const std::int64_t first = (static_cast<std::int64_t>(blockIdx.z) * p.scale.planes + plane) * p.frames;
    for (std::int32_t frame = 0; frame < p.frames; ++frame) {
      store(p.out, p.type, ((first + frame) * p.side + y) * p.side + x, value);
    }
  }
}
