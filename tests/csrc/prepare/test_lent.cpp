// Arrays that are on a device: nobody reads their addresses here, and what they are left as makes the same
// input when their bytes come to the host.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "csrc/prepare/registry.h"
#include "kernels/video/video.h"
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

// The same array in memory that is far away.
Array lent(Array array, std::shared_ptr<Far>& memory) {
  const std::int64_t count =
      std::accumulate(array.shape.begin(), array.shape.end(), std::int64_t{1}, std::multiplies<>());
  const auto* const from = static_cast<const std::byte*>(array.data);
  memory = std::make_shared<Far>(std::vector<std::byte>(from, from + count * array.bits / 8));
  array.lent = memory;
  array.data = memory->data();
  return array;
}

Item lent(const Item& item, std::shared_ptr<Far>& memory) {
  Item made = item;
  made.source = lent(std::get<Array>(item.source), memory);
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
  if (given.modality != "image" && given.modality != "video") {  // of which the host's are Python's
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

template <class Number>
void check_whole_samples() {
  constexpr Array::Kind kKind = std::is_signed_v<Number> ? Array::Kind::kInt : Array::Kind::kUint;
  const auto numbers = some<Number>(6 * 1100, 100);
  Item item = item_of(numbers, {6, 1100}, kKind);
  item.options = {{"rate", 200.0}, {"accel_unit", std::string("g")}};
  check({"imu", 6 * 2000, item});
}

void test_whole_samples() {
  check_whole_samples<std::int8_t>();
  check_whole_samples<std::uint8_t>();
  check_whole_samples<std::int16_t>();
  check_whole_samples<std::uint16_t>();
  check_whole_samples<std::int32_t>();
  check_whole_samples<std::uint32_t>();
  check_whole_samples<std::int64_t>();
  check_whole_samples<std::uint64_t>();
}

// (value - mean) / deviation, and nothing for what is no mean and deviation.
void test_standard() {
  constexpr std::int64_t kView = 6 * 2000;
  using Lists = std::vector<std::vector<double>>;
  const std::vector<float> level(6 * 1100, 5.0F);
  Item item = item_of(level, {6, 1100}, Array::Kind::kFloat);
  item.options = {{"rate", 200.0}, {"standardize", Lists{{1, 2, 3, 4, 5, 6}, {1, 1, 2, 2, 4, 4}}}};
  check({"imu", kView, item});
  Leaving here(kView, false);
  CHECK(prepare_or_leave(find("imu"), item, kLimits, here).has_value());
  for (const auto& [channel, want] : {std::pair(0, 4.0F), {2, 1.0F}, {3, 0.5F}, {5, -0.25F}}) {
    CHECK(here.rows[static_cast<std::size_t>(channel) * 2000 + 1999] == want);
  }
  const Lists wrong[] = {{{1, 2, 3, 4, 5, 6}},
                         {{1, 2, 3, 4, 5}, {1, 1, 1, 1, 1, 1}},
                         {{1, 2, 3, 4, 5, 6}, {1, 1, 1, 1, 1, 0}},
                         {{1, 2, 3, 4, 5, std::numeric_limits<double>::infinity()}, {1, 1, 1, 1, 1, 1}},
                         {{1e9, 2, 3, 4, 5, 6}, {1, 1, 1, 1, 1, 1}}};  // beyond what a sample may be
  for (const Lists& each : wrong) {
    item.options["standardize"] = each;
    CHECK(!prepare_or_leave(find("imu"), item, kLimits, here));
  }
}

// Times on the device are looked at, so they come here.
void test_lent_times() {
  constexpr std::int64_t kView = 6 * 2000;
  const auto floats = some<float>(6 * 1100, 9);
  std::vector<std::int16_t> seconds(1100);
  std::iota(seconds.begin(), seconds.end(), -500);
  Item item = item_of(floats, {6, 1100}, Array::Kind::kFloat);
  item.options = {{"max_gap", 2.0}};
  const Array times{seconds.data(), Array::Kind::kInt, 16, {1100}};
  item.arrays = {{"timestamps", times}};
  check({"imu", kView, item});
  Leaving want(kView, false);
  CHECK(prepare_or_leave(find("imu"), item, kLimits, want).has_value());
  std::shared_ptr<Far> memory;
  item.arrays["timestamps"] = lent(times, memory);
  Leaving found(kView, false);
  CHECK(prepare_or_leave(find("imu"), item, kLimits, found).has_value());
  CHECK(found.rows == want.rows);
  memory->fails = true;
  CHECK(!prepare_or_leave(find("imu"), item, kLimits, found));
  seconds[700] = 0;  // the order is wrong
  item.arrays["timestamps"] = lent(times, memory);
  CHECK(!prepare_or_leave(find("imu"), item, kLimits, found));
}

void test_inertial_samples() {
  constexpr std::int64_t kView = 6 * 2000;
  const auto floats = some<float>(6 * 2200, 9);
  const auto doubles = some<double>(6 * 1100, 9);
  std::vector<double> times(1100);
  for (std::size_t i = 0; i < times.size(); ++i) {
    times[i] = 0.005 * static_cast<double>(i) + 0.001 * static_cast<double>(i % 3);
  }
  Item item = item_of(floats, {6, 2200}, Array::Kind::kFloat);
  item.options = {{"rate", 200.0}, {"accel_unit", std::string("g")}};  // more than the window has
  check({"imu", kView, item});
  item = item_of(doubles, {6, 1100}, Array::Kind::kFloat);
  item.arrays = {{"timestamps", Array{times.data(), Array::Kind::kFloat, 64, {1100}}}};
  check({"imu", kView, item});

  auto bad = floats;
  bad[3] = std::numeric_limits<float>::quiet_NaN();
  item = item_of(bad, {6, 2200}, Array::Kind::kFloat);
  item.options = {{"rate", 200.0}};
  std::shared_ptr<Far> memory;
  Leaving there(kView);
  CHECK(prepare_or_leave(find("imu"), lent(item, memory), kLimits, there).has_value());
  CHECK(there.left->make(there.rows.data()));
  CHECK(std::ranges::all_of(there.rows, [](float each) { return std::isnan(each); }));
}

void test_videos() {
  constexpr std::int64_t kView = 3 * 2 * kSquare;
  constexpr std::int64_t kFrame = 40 * 56 * 3;
  const auto pixels = some<std::uint8_t>(60 * kFrame, 256);
  Item item = item_of(pixels, {60, 40, 56, 3}, Array::Kind::kUint);
  item.options = {{"fps", 10.0}};
  check({"video", kView, item});
  item.options = {{"fps", 10.0}, {"start", 1.0}, {"end", 3.0}, {"views", std::int64_t{1}}};
  check({"video", kView, item});
  std::shared_ptr<Far> memory;
  Leaving there(kView);
  const auto prepared = prepare_or_leave(find("video"), lent(item, memory), kLimits, there);
  CHECK(prepared && prepared->notes.size() == 2 && there.left->make(there.rows.data()));
  // Its frames are the 10th and the last before the 30th, its crop the middle one.
  std::vector<float> want(static_cast<std::size_t>(kView));
  for (const std::int64_t frame : {10, 29}) {
    const kernels::CropTarget target{1, frame == 10 ? 0 : kSquare};
    const kernels::CropRequest request{
        {kernels::PixelFormat::kRgb24, 56, 40, {pixels.data() + frame * kFrame}, {56 * 3}, {}},
        0,
        &target,
        1,
        want.data(),
        kernels::OutType::kFloat32,
        2 * kSquare};
    CHECK(kernels::video_crops(request, 1));
  }
  CHECK(there.rows == want);
}

// Frames one by one: those are wanted that are sampled, and all are of one size.
void test_frames_one_by_one() {
  constexpr std::int64_t kView = 3 * 2 * kSquare;
  constexpr std::int64_t kFrame = 40 * 56 * 3;
  const auto pixels = some<std::uint8_t>(60 * kFrame, 256);
  Item together = item_of(pixels, {60, 40, 56, 3}, Array::Kind::kUint);
  together.options = {{"fps", 10.0}, {"start", 1.0}, {"end", 3.0}, {"views", std::int64_t{1}}};
  std::shared_ptr<Far> memory;
  Leaving want(kView);
  CHECK(prepare_or_leave(find("video"), lent(together, memory), kLimits, want).has_value());
  CHECK(want.left->make(want.rows.data()));

  std::vector<std::shared_ptr<Far>> frames(60);
  std::vector<Array> apart(60);
  for (const std::size_t i : {std::size_t{10}, std::size_t{29}}) {
    apart[i] =
        lent(Array{pixels.data() + static_cast<std::int64_t>(i) * kFrame, Array::Kind::kUint, 8, {40, 56, 3}},
             frames[i]);
  }
  Item item = together;
  item.source = apart;
  Leaving found(kView);
  const auto prepared = prepare_or_leave(find("video"), item, kLimits, found);
  CHECK(prepared && prepared->notes.size() == 2);
  CHECK(found.left->make(found.rows.data()) && found.rows == want.rows);
  frames[29]->fails = true;
  CHECK(!found.left->make(found.rows.data()));

  const auto refused = [&](const Array& last) {
    apart[29] = last;
    item.source = apart;
    return !prepare_or_leave(find("video"), item, kLimits, found);
  };
  Array other = apart[29];
  other.shape = {56, 40, 3};
  CHECK(refused(other));
  CHECK(refused({}));
  item.source = std::vector<Array>(60);
  CHECK(!prepare_or_leave(find("video"), item, kLimits, found));
  CHECK(!prepare_or_leave(find("image"), item, kLimits, found));
}

void test_what_is_left_to_python() {
  const auto counts = some<std::uint16_t>(300 * 300, 8000);
  const auto floats = some<float>(300 * 300, 9);
  const auto bytes = some<std::uint8_t>(std::int64_t{20} * 60 * 60 * 3, 256);
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
      {"imu", 12000, with(item_of(floats, {6, 2200}, Array::Kind::kFloat), {{"rate", -1.0}})},
      {"video", 6 * kSquare, item_of(bytes, {20, 60, 60, 3}, Array::Kind::kUint)},
      {"video", 6 * kSquare, with(item_of(bytes, {20, 60, 60, 3}, Array::Kind::kUint), {{"fps", 0.1}})},
      {"video", 6 * kSquare, with(item_of(bytes, {20, 60, 90, 2}, Array::Kind::kUint), {{"fps", 10.0}})},
      {"video", 6 * kSquare, with(item_of(counts, {5, 60, 60, 3}, Array::Kind::kUint), {{"fps", 10.0}})},
  };
  for (const Case& each : refused) {
    std::shared_ptr<Far> memory;
    Leaving slots(each.view_numbers);
    CHECK(!prepare_or_leave(find(each.modality), lent(each.item, memory), kLimits, slots));
    CHECK(slots.left == nullptr);
  }
}

}  // namespace
}  // namespace bindrt::prepare

int main() {
  using namespace bindrt::prepare;
  test_maps();
  test_pictures();
  test_sounds();
  test_inertial_samples();
  test_whole_samples();
  test_standard();
  test_lent_times();
  test_videos();
  test_frames_one_by_one();
  test_what_is_left_to_python();
  return bindrt::testing::finish();
}
