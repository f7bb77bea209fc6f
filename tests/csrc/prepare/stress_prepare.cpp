// Random arrays with random options through every preparer: what is taken is written whole, and is finite.
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "csrc/prepare/registry.h"
#include "tests/cpp/check.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using prepare::Array;
using prepare::Item;
using prepare::Value;

// A batch's row of a known size, which is not written to unless it is reserved.
class Row final : public prepare::Slots {
 public:
  explicit Row(std::int64_t numbers) : numbers_(numbers) {}

  float* reserve(std::int64_t views) override {
    ++reserved_;
    CHECK(views == 1);
    row_ = std::make_unique<Exact<float>>(numbers_);
    return row_->data();
  }
  std::int64_t view_numbers() const override { return numbers_; }

  int reserved() const { return reserved_; }
  bool is_finite() const {
    bool good = true;
    for (std::int64_t i = 0; i < numbers_; ++i) {
      good = good && std::isfinite(row_->data()[i]);
    }
    return good;
  }

 private:
  const std::int64_t numbers_;
  std::unique_ptr<Exact<float>> row_;
  int reserved_ = 0;
};

// Memory of arrays, each of which ends where it says.
using Memory = std::vector<std::unique_ptr<Exact<std::uint8_t>>>;

constexpr int kBits[] = {8, 16, 32, 64};
constexpr Array::Kind kKinds[] = {Array::Kind::kFloat, Array::Kind::kInt, Array::Kind::kUint};

std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t side : shape) {
    count *= side;
  }
  return count;
}

template <class Number>
void fill(Exact<std::uint8_t>& memory, std::int64_t count, Bytes& bytes) {
  auto random = bytes.random();
  std::uniform_real_distribution<double> within(-3, 30);
  auto* const numbers = reinterpret_cast<Number*>(memory.data());
  for (std::int64_t i = 0; i < count; ++i) {
    numbers[i] = static_cast<Number>(within(random));
  }
}

// Numbers that a sensor may give, or any bits.
Array make_array(Bytes& bytes, Memory& memory, std::vector<std::int64_t> shape) {
  Array array{nullptr, bytes.one_of(kKinds), bytes.one_of(kBits), std::move(shape)};
  const std::int64_t count = count_of(array.shape);
  memory.push_back(std::make_unique<Exact<std::uint8_t>>(count * array.bits / 8));
  Exact<std::uint8_t>& held = *memory.back();
  const bool is_float = array.kind == Array::Kind::kFloat;
  if (is_float && array.bits == 32) {
    fill<float>(held, count, bytes);
  } else if (is_float && array.bits == 64) {
    fill<double>(held, count, bytes);
  } else {
    auto random = bytes.random();
    for (std::uint8_t& byte : held) {
      byte = static_cast<std::uint8_t>(random());
    }
  }
  array.data = held.data();
  return array;
}

// Times that increase, or any numbers.
Array make_times(Bytes& bytes, Memory& memory, std::int64_t count) {
  Array times = make_array(bytes, memory, {count});
  if (times.kind == Array::Kind::kFloat && times.bits == 64 && !bytes.chance(4)) {
    auto* const seconds = reinterpret_cast<double*>(memory.back()->data());
    const double step = bytes.real(0.001, 0.1);
    for (std::int64_t i = 0; i < count; ++i) {
      seconds[i] = static_cast<double>(i) * step;
    }
  }
  return times;
}

Value make_value(Bytes& bytes) {
  static const char* const kTexts[] = {"m",  "mm",      "sunrgbd", "disparity",  "kitti",       "tum",
                                       "g",  "m/s2",    "deg/s",   "nearest",    "farthest",    "realsense",
                                       "ft", "celsius", "kelvin",  "decikelvin", "centikelvin", ""};
  constexpr double kOdd[] = {0.0,
                             -1.0,
                             1e300,
                             1e-300,
                             std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()};
  switch (bytes.number(0, 6)) {
    case 0:
      return bytes.chance(2);
    case 1:
      return bytes.range(-2, 300);
    case 2:
      return bytes.one_of(kOdd);
    case 3:
      return std::string(bytes.one_of(kTexts));
    case 4:
      return std::vector<double>{bytes.real(-5, 100), bytes.real(0, 105)};
    default:
      return bytes.real(0, 400);
  }
}

struct Kind {
  const char* modality;
  std::int64_t numbers;
  std::vector<const char*> options;
};

const Kind& kind_of(Bytes& bytes) {
  static const std::array<Kind, 3> kinds{
      Kind{"imu",
           6 * 2000,
           {"rate", "max_gap", "min_seconds", "accel_unit", "gyro_unit", "unit", "time_unit"}},
      Kind{"depth",
           224 * 224,
           {"unit", "focal", "baseline", "model_scale", "depth_scale", "missing", "camera",
            "counts_per_metre", "exif"}},
      Kind{"thermal", 224 * 224, {"low", "high", "percentiles", "unit", "exif"}}};
  return kinds[static_cast<std::size_t>(bytes.range(0, 2))];
}

std::vector<std::int64_t> shape_of(Bytes& bytes, bool is_imu) {
  if (is_imu) {
    return {bytes.chance(8) ? bytes.range(1, 9) : 6, bytes.small(1, 2000)};
  }
  std::vector<std::int64_t> shape{bytes.small(1, 300), bytes.small(1, 300)};
  if (bytes.chance(5)) {
    shape.insert(bytes.chance(2) ? shape.begin() : shape.end(), bytes.chance(3) ? 3 : 1);
  }
  return shape;
}

// Options that make sense, so that many items are taken; and some that may not.
void add_options(Bytes& bytes, const Kind& kind, Item& item) {
  const std::string modality = kind.modality;
  if (modality == "imu" && item.arrays.empty()) {
    item.options["rate"] = bytes.real(1, 500);
  }
  if (modality == "imu") {
    item.options["min_seconds"] = 1e-3;
    item.options["max_gap"] = 10.0;
  }
  if (modality == "thermal" && !bytes.chance(4)) {
    item.options["low"] = bytes.real(-10, 1);
    item.options["high"] = bytes.real(2, 60'000);
  }
  for (int left = bytes.number(0, 2); left > 0; --left) {
    item.options[kind.options[static_cast<std::size_t>(
        bytes.range(0, static_cast<std::int64_t>(kind.options.size()) - 1))]] = make_value(bytes);
  }
}

}  // namespace

void one_case(Bytes& bytes) {
  bytes.level();
  const Kind& kind = kind_of(bytes);
  const bool is_imu = std::string(kind.modality) == "imu";
  Memory memory;
  Item item;
  const std::vector<std::int64_t> shape = shape_of(bytes, is_imu);
  item.source = make_array(bytes, memory, shape);
  if (is_imu && bytes.chance(2)) {
    item.arrays["timestamps"] = make_times(bytes, memory, bytes.chance(8) ? 3 : shape.back());
  }
  add_options(bytes, kind, item);
  const prepare::Limits limits{1 << 20, bytes.chance(8) ? 1000 : 1 << 20, 100.0};
  Row row(kind.numbers);
  const auto prepared = prepare::prepare_or_leave(prepare::find(kind.modality), item, limits, row);
  if (prepared) {
    CHECK(row.reserved() == 1);
    CHECK(row.is_finite());
    CHECK(prepared->index.empty());
    CHECK(is_imu || !prepared->notes.empty());
  } else {
    CHECK(row.reserved() <= 1);
  }
}

}  // namespace bindrt::stress
