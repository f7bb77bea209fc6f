// Depth and thermal squares on the simulator against the CPU side: the same numbers.
#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "kernels/map/depth_gpu.h"
#include "kernels/map/thermal_gpu.h"
#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

constexpr std::size_t kPixels = std::size_t{kPictureSide} * kPictureSide;

// A map on the host and on the device, with rows longer than they must be.
struct TwoMaps {
  template <class Number>
  TwoMaps(std::int32_t width, std::int32_t height, MapType type, Number most, unsigned seed) {
    const auto stride = static_cast<std::size_t>(width + 3);
    std::vector<Number> numbers(stride * static_cast<std::size_t>(height));
    Random random(seed);
    for (Number& number : numbers) {
      const double share = static_cast<double>(random.below(1000)) / 999.0;
      number = random.below(10) == 0 ? Number{0} : static_cast<Number>(share * static_cast<double>(most));
    }
    if constexpr (std::numeric_limits<Number>::has_infinity) {
      numbers[1] = std::numeric_limits<Number>::infinity();
      numbers[2] = -most;
    }
    const auto* const first = reinterpret_cast<const std::uint8_t*>(numbers.data());
    bytes.assign(first, first + numbers.size() * sizeof(Number));
    memory.emplace_back(bytes);
    const auto row = static_cast<std::int64_t>(stride * sizeof(Number));
    host = {bytes.data(), type, width, height, row};
    device = {memory.back().data(), type, width, height, row};
  }
  TwoMaps(const TwoMaps&) = delete;

  std::vector<std::uint8_t> bytes;
  std::deque<DeviceArray<std::uint8_t>> memory;
  Map host;
  Map device;
};

template <class Number>
void compare_depth(const std::vector<const TwoMaps*>& maps, const std::vector<DepthOptions>& options) {
  SimQueue queue;
  std::vector<Map> device;
  for (const TwoMaps* map : maps) {
    device.push_back(map->device);
  }
  const DeviceArray<Number> out(maps.size() * kPixels);
  const DeviceArray<unsigned long long> missing(maps.size());
  depth_squares_gpu(queue, device.data(), options.data(), static_cast<std::int64_t>(maps.size()),
                    missing.data(), out.data());
  const std::vector<Number> got = out.download();
  const std::vector<unsigned long long> counts = missing.download();
  std::vector<Number> want(kPixels);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    std::int64_t count = 0;
    CHECK(depth_square(maps[i]->host, options[i], want.data(), &count));
    CHECK(counts[i] == static_cast<unsigned long long>(count));
    std::size_t different = 0;
    for (std::size_t k = 0; k < kPixels; ++k) {
      different += got[i * kPixels + k] == want[k] ? 0 : 1;
    }
    CHECK(different == 0);
  }
}

template <class Number>
void compare_thermal(const std::vector<const TwoMaps*>& frames, const std::vector<ThermalOptions>& options) {
  SimQueue queue;
  std::vector<Map> device;
  for (const TwoMaps* frame : frames) {
    device.push_back(frame->device);
  }
  const DeviceArray<Number> out(frames.size() * kPixels);
  thermal_squares_gpu(queue, device.data(), options.data(), static_cast<std::int64_t>(frames.size()),
                      out.data());
  const std::vector<Number> got = out.download();
  std::vector<Number> want(kPixels);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    CHECK(thermal_stretched(frames[i]->host, options[i], want.data()));
    std::size_t different = 0;
    for (std::size_t k = 0; k < kPixels; ++k) {
      different += got[i * kPixels + k] == want[k] ? 0 : 1;
    }
    CHECK(different == 0);
  }
}

}  // namespace

int main() {
  const TwoMaps counts(120, 90, MapType::kUint16, std::uint16_t{60000}, 1);
  const TwoMaps metres(61, 133, MapType::kFloat32, 9.0F, 2);
  const TwoMaps exact(300, 2, MapType::kFloat64, 80.0, 3);
  const TwoMaps bytes(5, 7, MapType::kUint8, std::uint8_t{255}, 4);
  compare_depth<float>({&counts, &metres, &counts, &exact},
                       {{.unit = DepthUnit::kMillimetres},
                        {.unit = DepthUnit::kMetres, .depth_scale = 1.0, .missing_near = true},
                        {.unit = DepthUnit::kSunRgbd},
                        {.unit = DepthUnit::kDisparity}});
  compare_depth<std::uint16_t>({&metres}, {{.out_type = OutType::kFloat16}});
  const TwoMaps frame(97, 75, MapType::kUint16, std::uint16_t{30000}, 5);
  compare_thermal<float>({&frame, &bytes}, {{.low = 2000.0, .high = 21000.0}, {.low = -10.0, .high = 90.0}});
  compare_thermal<std::uint16_t>({&frame}, {{.low = 0.0, .high = 1.0, .out_type = OutType::kFloat16}});
  return bindrt::testing::finish();
}
