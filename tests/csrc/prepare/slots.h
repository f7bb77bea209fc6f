// Where an item's views go in tests, and a preparer of maps that reads all of them.
#pragma once

#include <numeric>
#include <optional>

#include "csrc/prepare/maps.h"
#include "csrc/prepare/options.h"
#include "csrc/prepare/prepare.h"
#include "kernels/map/map.h"
#include "tests/cpp/check.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {

constexpr std::int64_t kSquare = std::int64_t{224} * 224;

// One view of `frames` pictures.
class OneView final : public prepare::Slots {
 public:
  explicit OneView(std::int64_t frames) : numbers(3 * frames * kSquare) {}

  float* reserve(std::int64_t views) override {
    CHECK(views == 1);
    return numbers.data();
  }
  std::int64_t view_numbers() const override { return numbers.size(); }

  Exact<float> numbers;
};

// Reads a map, and notes the sum of its bytes.
inline std::optional<prepare::Prepared> read_map(const prepare::GivenMap& given, prepare::Options& options,
                                                 prepare::Slots&) {
  const kernels::Map& map = given.map;
  CHECK(map.width > 0 && map.height > 0 && options.usual());
  const std::int64_t row_bytes = std::int64_t{map.width} * (map.type == kernels::MapType::kUint16 ? 2 : 1);
  std::int64_t sum = 0;
  for (std::int32_t y = 0; y < map.height; ++y) {
    const auto* const row = static_cast<const std::uint8_t*>(map.pixels) + y * map.row_stride;
    sum = std::accumulate(row, row + row_bytes, sum);
  }
  prepare::Prepared prepared;
  prepared.notes.emplace_back("sum", sum);
  return prepared;
}

}  // namespace bindrt::stress
