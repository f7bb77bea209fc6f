// Options that are read, refused or forgotten; preparers that throw; a recording and two maps of known
// values.
#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "csrc/prepare/options.h"
#include "csrc/prepare/registry.h"
#include "tests/cpp/check.h"

namespace bindrt::prepare {
namespace {

class Memory final : public Slots {
 public:
  explicit Memory(std::size_t numbers, bool full = false) : numbers_(numbers), full_(full) {}

  float* reserve(std::int64_t views) override {
    if (full_) {
      throw std::bad_alloc();
    }
    rows.assign(static_cast<std::size_t>(views) * numbers_, std::nanf(""));
    return rows.data();
  }
  std::int64_t view_numbers() const override { return static_cast<std::int64_t>(numbers_); }

  std::vector<float> rows;

 private:
  std::size_t numbers_;
  bool full_;
};

constexpr Limits kLimits{1 << 20, 1 << 20, 100.0};
constexpr std::size_t kMap = 224 * 224;

std::optional<Prepared> prepare(std::string_view modality, const Item& item, Memory& memory) {
  return prepare_or_leave(find(modality), item, kLimits, memory);
}

template <class Number>
Item item_of(const std::vector<Number>& numbers, std::vector<std::int64_t> shape, Array::Kind kind) {
  Item item;
  item.source = Array{numbers.data(), kind, static_cast<int>(sizeof(Number)) * 8, std::move(shape)};
  return item;
}

const Value* note(const Prepared& prepared, std::string_view name) {
  for (const auto& [key, value] : prepared.notes) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

void test_modalities() {
  for (const std::string_view name : modalities()) {
    CHECK(find(name) != nullptr);
  }
  CHECK(find("text") == nullptr);
  CHECK(find("") == nullptr);
}

void test_what_throws_is_left() {
  Memory memory(1);
  constexpr Preparer kThrowing[] = {
      [](const Item&, const Limits&, Slots&) -> std::optional<Prepared> {
        throw std::runtime_error("planted");
      },
      [](const Item&, const Limits&, Slots&) -> std::optional<Prepared> { throw 1; }};
  for (const Preparer each : kThrowing) {
    CHECK(!prepare_or_leave(each, Item{}, kLimits, memory));
  }
  const std::vector<float> samples(6 * 2000, 1.0F);
  Item item = item_of(samples, {6, 2000}, Array::Kind::kFloat);
  item.options["rate"] = 400.0;
  Memory full(6 * 2000, true);
  CHECK(!prepare("imu", item, full));
}

void test_options() {
  Item item;
  item.options = {{"a", true},
                  {"b", std::int64_t{3}},
                  {"c", 0.5},
                  {"d", std::string("m")},
                  {"e", std::vector<double>{1, 99}}};
  Options read(item);
  CHECK(!read.usual());  // nobody has read them
  CHECK(read.flag("a") && read.number("b") == 3.0 && read.positive("c") == 0.5 && read.text("d") == "m");
  CHECK(read.pair("e") == (std::array{1.0, 99.0}));
  CHECK(!read.flag("x") && !read.number("x") && !read.text("x") && !read.pair("x") &&
        read.array("x") == nullptr);
  CHECK(read.usual());
  read.refuse();
  CHECK(!read.usual());
}

void test_options_of_another_type() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Value values[] = {Value(true),
                          Value(std::int64_t{-1}),
                          Value(-0.5),
                          Value(kInfinity),
                          Value(std::string("1")),
                          Value(std::vector<double>{1, kInfinity}),
                          Value(std::vector<double>{1, 2, 3})};
  for (const Value& value : values) {
    Item item;
    item.options["a"] = value;
    Options as_number(item);
    as_number.positive("a");
    CHECK(!as_number.usual());
    Options as_pair(item);
    as_pair.pair("a");
    CHECK(!as_pair.usual());
    Options as_flag(item);
    as_flag.flag("a");
    CHECK(as_flag.usual() == std::holds_alternative<bool>(value));
    Options as_text(item);
    as_text.text("a");
    CHECK(as_text.usual() == std::holds_alternative<std::string>(value));
  }
}

void test_inertial_samples() {
  const std::vector<std::int16_t> samples(6 * 2000, 2);
  Item item = item_of(samples, {6, 2000}, Array::Kind::kInt);
  item.options = {{"rate", std::int64_t{400}}, {"accel_unit", std::string("g")}};
  Memory memory(6 * 2000);
  const auto prepared = prepare("imu", item, memory);
  CHECK(prepared && prepared->notes.empty() && prepared->index.empty());
  CHECK(memory.rows.front() == 2 * 9.80665F && memory.rows.back() == 2.0F);
  item.options["accel_unit"] = std::string("ft");
  CHECK(!prepare("imu", item, memory));
}

void test_maps() {
  const std::vector<std::uint16_t> metres(32 * 40, 2000);  // 2 m
  Memory memory(kMap);
  const auto depth = prepare("depth", item_of(metres, {32, 40}, Array::Kind::kUint), memory);
  CHECK(depth && note(*depth, "unit") != nullptr && *note(*depth, "unit") == Value(std::string("mm")));
  CHECK(note(*depth, "missing_pixels") != nullptr &&
        *note(*depth, "missing_pixels") == Value(std::int64_t{0}));
  const double disparity = 0.075 * 518.8579 / (8.0 * 2.0) / 75.0;
  CHECK_NEAR(memory.rows[kMap / 2], (disparity - 0.0418) / 0.0295, 1e-5);

  Item frame = item_of(metres, {1, 32, 40}, Array::Kind::kUint);
  frame.options = {{"low", 1000.0}, {"high", std::int64_t{5000}}};
  CHECK(prepare("thermal", frame, memory).has_value());
  CHECK_NEAR(memory.rows[kMap / 2], 0.25, 1e-6);
  CHECK(!prepare("thermal", item_of(metres, {32, 40}, Array::Kind::kUint), memory));  // no range
  CHECK(!prepare("depth", item_of(metres, {32, 20, 2}, Array::Kind::kUint), memory));
}

// Workers share preparers and, where a caller submits it twice, an item.
void test_threads() {
  std::vector<float> samples(6 * 1000);
  std::vector<std::uint16_t> counts(50 * 60);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(i % 97);
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = static_cast<std::uint16_t>(i * 7);
  }
  Item recording = item_of(samples, {6, 1000}, Array::Kind::kFloat);
  recording.options = {{"rate", 200.0}};
  const Item map = item_of(counts, {50, 60}, Array::Kind::kUint);
  Item frame = map;
  frame.options = {{"percentiles", std::vector<double>{1, 99}}};
  const auto prepared = [&] {
    std::vector<float> all;
    using Case = std::tuple<const char*, const Item*, std::size_t>;
    for (const auto& [modality, item, numbers] :
         {Case("imu", &recording, 6 * 2000), Case("depth", &map, kMap), Case("thermal", &frame, kMap)}) {
      Memory memory(numbers);
      CHECK(prepare(modality, *item, memory).has_value());
      all.insert(all.end(), memory.rows.begin(), memory.rows.end());
    }
    return all;
  };
  const std::vector<float> expected = prepared();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        CHECK(prepared() == expected);
      }
    });
  }
  for (std::thread& each : threads) {
    each.join();
  }
}

}  // namespace
}  // namespace bindrt::prepare

int main() {
  using namespace bindrt;
  prepare::test_modalities();
  prepare::test_what_throws_is_left();
  prepare::test_options();
  prepare::test_options_of_another_type();
  prepare::test_inertial_samples();
  prepare::test_maps();
  prepare::test_threads();
  return testing::finish();
}
