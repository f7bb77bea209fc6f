// The taps of an axis as a table on a device.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/base/gpu.h"
#include "kernels/resize/antialias.h"

namespace bindrt::kernels {

template <class Weight>
struct TapsOnDevice {
  const std::int32_t* begins;   // [count]
  const std::int32_t* lengths;  // [count]
  const Weight* weights;        // as `weights_of` gives them
};

// `name` tells apart what `weights_of` makes of the same taps. An even number of outputs, so that the weights
// are aligned.
template <class Weight, class WeightsOf>
TapsOnDevice<Weight> taps_on_device(GpuQueue& queue, const std::string& name, const AxisResize& axis,
                                    const AxisTaps& taps, const WeightsOf& weights_of) {
  const std::size_t list = static_cast<std::size_t>(taps.count) * sizeof(std::int32_t);
  const void* const table = queue.table(name + key_of(axis), [&] {
    const std::vector<Weight> weights = weights_of(taps);
    std::vector<std::byte> bytes(2 * list + weights.size() * sizeof(Weight));
    std::memcpy(bytes.data(), taps.begins.data(), list);
    std::memcpy(bytes.data() + list, taps.lengths.data(), list);
    std::memcpy(bytes.data() + 2 * list, weights.data(), weights.size() * sizeof(Weight));
    return bytes;
  });
  const auto* const first = static_cast<const std::byte*>(table);
  return {reinterpret_cast<const std::int32_t*>(first), reinterpret_cast<const std::int32_t*>(first + list),
          reinterpret_cast<const Weight*>(first + 2 * list)};
}

}  // namespace bindrt::kernels
