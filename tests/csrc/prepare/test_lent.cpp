// Arrays that are on a device: nobody reads their addresses here, and what they are left as makes the same
// input when their bytes come to the host.
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "csrc/prepare/registry.h"
#include "tests/cpp/check.h"

namespace bindrt::prepare {
namespace {

constexpr Limits kLimits{1 << 26, 1 << 26, 100.0};
constexpr std::int64_t kSquare = std::int64_t{224} * 224;

// Bytes whose address is none.
class Far final : public kernels::Lent {
 public:
  explicit Far(std::vector<std::byte> bytes)
      : Lent(reinterpret_cast<const void*>(std::uintptr_t{4096}), bytes.size()), held_(std::move(bytes)) {}

  void wait(kernels::GpuQueue&) const override {}
  bool read(void* host) const noexcept override {
    if (!fails) {
      std::memcpy(host, held_.data(), held_.size());
    }
    return !fails;
  }

  bool fails = false;

 private:
  const std::vector<std::byte> held_;
};

class Leaving final : public Slots {
 public:
  explicit Leaving(std::int64_t numbers, bool may = true) : numbers_(numbers), may_(may) {}

  float* reserve(std::int64_t views) override {
    rows.assign(static_cast<std::size_t>(views * numbers_), 0.0F);
    return rows.data();
  }
  std::int64_t view_numbers() const override { return numbers_; }
  bool may_leave() const override { return may_; }
  void leave(std::shared_ptr<const kernels::Decoded> item) override { left = std::move(item); }

  std::vector<float> rows;
  std::shared_ptr<const kernels::Decoded> left;

 private:
  const std::int64_t numbers_;
  const bool may_;
};

struct Case {
  std::string modality;
  std::int64_t view_numbers;
  Item item;
};

template <class Number>
std::vector<Number> some(std::int64_t count, int most) {
  std::vector<Number> values(static_cast<std::size_t>(count));
  unsigned state = 1;
  for (Number& each : values) {
    state = state * 1664525U + 1013904223U;
    each = static_cast<Number>(static_cast<double>(state >> 8U) / (1 << 24) * most);
  }
  return values;
}

// The same item of memory that is far away.
Item lent(const Item& item, std::shared_ptr<Far>& memory) {
  Item made = item;
  auto& array = std::get<Array>(made.source);
  const std::int64_t count =
      std::accumulate(array.shape.begin(), array.shape.end(), std::int64_t{1}, std::multiplies<>());
  const auto* const from = static_cast<const std::byte*>(array.data);
  memory = std::make_shared<Far>(std::vector<std::byte>(from, from + count * array.bits / 8));
  array.lent = memory;
  array.data = memory->data();
  return made;
}

void check(const Case& given) {
  std::shared_ptr<Far> memory;
  const Item item = lent(given.item, memory);
  Leaving there(given.view_numbers);
  const auto prepared = prepare_or_leave(find(given.modality), item, kLimits, there);
  CHECK(prepared && there.left != nullptr);
  Leaving none(given.view_numbers, false);
  CHECK(!prepare_or_leave(find(given.modality), item, kLimits, none) && none.left == nullptr);
  if (there.left == nullptr) {
    return;
  }
  CHECK(there.left->make(there.rows.data()));
  if (given.modality != "image") {  // of which the host's are Python's
    Leaving here(given.view_numbers, false);
    CHECK(prepare_or_leave(find(given.modality), given.item, kLimits, here).has_value());
    CHECK(here.rows == there.rows);
  }
  memory->fails = true;
  CHECK(!there.left->make(there.rows.data()));
}

template <class Number>
Item item_of(const std::vector<Number>& numbers, std::vector<std::int64_t> shape, Array::Kind kind) {
  Item item;
  item.source = Array{numbers.data(), kind, static_cast<int>(sizeof(Number)) * 8, std::move(shape)};
  return item;
}

void test_maps() {
  const auto counts = some<std::uint16_t>(640 * 480, 8000);
  const auto metres = some<float>(300 * 240, 9);
  const auto bytes = some<std::uint8_t>(250 * 251, 256);
  Item depth = item_of(counts, {480, 640}, Array::Kind::kUint);
  check({"depth", kSquare, depth});
  depth.options = {{"unit", std::string("sunrgbd")}, {"camera", std::string("realsense")}};
  check({"depth", kSquare, depth});
  check({"depth", kSquare, item_of(metres, {1, 240, 300}, Array::Kind::kFloat)});
  check({"thermal", kSquare, item_of(bytes, {251, 250}, Array::Kind::kUint)});
  Item thermal = item_of(counts, {480, 640, 1}, Array::Kind::kUint);
  thermal.options = {{"low", 100.0}, {"high", 7000.0}};
  check({"thermal", kSquare, thermal});
}

void test_pictures() {
  const auto bytes = some<std::uint8_t>(250 * 240 * 4, 256);
  for (const std::int64_t frames : {1, 2}) {
    for (const auto& [layout, channels] : {std::pair("", 3), {"BGR", 3}, {"RGBA", 4}, {"", 4}, {"L", 1}}) {
      Item item = item_of(bytes, {240, 250, channels}, Array::Kind::kUint);
      if (*layout != '\0') {
        item.options = {{"layout", std::string(layout)}};
      }
      check({"image", 3 * frames * kSquare, item});
    }
    check({"image", 3 * frames * kSquare, item_of(bytes, {500, 480}, Array::Kind::kUint)});
  }
}

void test_sounds() {
  constexpr std::int64_t kView = 128 * 204;
  const auto samples = some<std::int16_t>(2 * 5 * 44100, 9000);
  const auto floats = some<float>(std::int64_t{70} * 16000, 1);
  Item item = item_of(samples, {2, 5 * 44100}, Array::Kind::kInt);
  item.options = {{"rate", 44100.0}};
  check({"audio", kView, item});
  item.options = {{"rate", 22050.0}, {"start", 1.5}, {"end", 4.0}};
  check({"audio", kView, item});
  item = item_of(floats, {70 * 16000}, Array::Kind::kFloat);
  item.options = {{"rate", 16000.0}};
  check({"audio", kView, item});
}

void test_what_is_left_to_python() {
  const auto counts = some<std::uint16_t>(300 * 300, 8000);
  const auto floats = some<float>(300 * 300, 9);
  const Item map = item_of(counts, {300, 300}, Array::Kind::kUint);
  const auto with = [](Item item, std::map<std::string, Value, std::less<>> options) {
    item.options = std::move(options);
    return item;
  };
  const Item warm = item_of(floats, {300, 300}, Array::Kind::kFloat);
  const std::vector<Case> refused = {
      {"depth", kSquare, with(map, {{"counts_per_metre", 1000.0}})},
      {"depth", kSquare, with(map, {{"unit", std::string("kitti")}})},
      {"thermal", kSquare, with(map, {{"percentiles", std::vector<double>{1, 99}}})},
      {"thermal", kSquare, with(map, {{"low", 1.0}, {"high", 2.0}, {"unit", std::string("kelvin")}})},
      {"thermal", kSquare, with(warm, {{"low", 1.0}, {"high", 2.0}})},
      {"thermal", kSquare, map},
      {"image", 3 * kSquare, map},
      {"image", 3 * kSquare, with(map, {{"layout", std::string("CMYK")}})},
      {"audio", 128 * 204, with(map, {{"rate", 16000.0}})},
  };
  for (const Case& each : refused) {
    std::shared_ptr<Far> memory;
    Leaving slots(each.view_numbers);
    CHECK(!prepare_or_leave(find(each.modality), lent(each.item, memory), kLimits, slots));
    CHECK(slots.left == nullptr);
  }
  for (const std::string_view name : modalities()) {
    CHECK(takes_lent(name) == (name != "imu" && name != "video"));
  }
}

}  // namespace
}  // namespace bindrt::prepare

int main() {
  using namespace bindrt::prepare;
  test_maps();
  test_pictures();
  test_sounds();
  test_what_is_left_to_python();
  return bindrt::testing::finish();
}
