// Arrays are taken as usual only if all of their numbers can be read where they are, in the order that is
// said.
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "csrc/live/usual.h"
#include "tests/cpp/check.h"

namespace bindrt::live {
namespace {

constexpr int kFloats = 0, kOthers = 0;
const void* const kType = &kFloats;

// An array of floats in memory that ends with it, so that a sanitizer sees whoever reads on.
struct Array {
  std::vector<float> numbers;
  std::vector<std::ptrdiff_t> shape, strides;
  const void* type = kType;

  explicit Array(std::vector<std::ptrdiff_t> given) : shape(std::move(given)), strides(shape.size()) {
    std::ptrdiff_t size = 1;
    for (std::size_t axis = shape.size(); axis-- > 0; size *= shape[axis]) {
      strides[axis] = size * static_cast<std::ptrdiff_t>(sizeof(float));
    }
    for (std::ptrdiff_t i = 0; i < size; ++i) {
      numbers.push_back(static_cast<float>(i));
    }
  }

  Fields fields() const {
    return {type,          reinterpret_cast<const std::byte*>(numbers.data()),
            sizeof(float), static_cast<int>(shape.size()),
            shape.data(),  strides.data()};
  }
};

struct Times {
  std::vector<double> seconds;
  std::array<std::ptrdiff_t, 1> shape, strides{sizeof(double)};

  explicit Times(std::vector<double> given)
      : seconds(std::move(given)), shape{static_cast<std::ptrdiff_t>(seconds.size())} {}

  Moment moment(std::size_t shift = 0) const {
    const auto* const data = reinterpret_cast<const std::byte*>(seconds.data()) + shift;
    return {Moment::Kind::kTimes, 0, {&kOthers, data, sizeof(double), 1, shape.data(), strides.data()}};
  }
};

Moment at(double seconds) { return {Moment::Kind::kSeconds, seconds}; }

Usual usual(PieceKind kind, std::vector<std::ptrdiff_t> shape, bool may_have_no_time = false) {
  return {kind, may_have_no_time, kType, std::move(shape)};
}

// The numbers that a piece says it has.
std::vector<float> copied(const Pushed& found) {
  std::vector<float> numbers(found.rows.bytes() / sizeof(float));
  copy(found.rows, reinterpret_cast<std::byte*>(numbers.data()));
  return numbers;
}

void test_blocks() {
  const Usual stereo = usual(PieceKind::kBlocks, {2, 480}, true);
  Array block({2, 5});
  auto found = stereo.look(block.fields(), at(1.5));
  CHECK(found && found->count == 5 && found->time == 1.5 && found->newest == 1.5);
  CHECK(found && copied(*found) == block.numbers);
  found = stereo.look(block.fields(), {});
  CHECK(found && !found->time && !found->newest);
  CHECK(!stereo.look(Array({5}).fields(), {}) && !stereo.look(Array({3, 5}).fields(), {}));
  CHECK(!stereo.look(Array({2, 0}).fields(), {}) && !stereo.look(Array({2, 5, 1}).fields(), {}));
  CHECK(!stereo.look(Array({}).fields(), {}));

  block.shape[1] = 2;  // every second number: not side by side
  block.strides[1] = 2 * sizeof(float);
  CHECK(!stereo.look(block.fields(), {}));
  block.shape[1] = 1;  // of a single number the distance says nothing
  found = stereo.look(block.fields(), {});
  CHECK(found && (copied(*found) == std::vector<float>{0, 5}));
  block.type = &kOthers;
  CHECK(!stereo.look(block.fields(), {}));

  const Usual mono = usual(PieceKind::kBlocks, {1, 480}, true);
  found = mono.look(Array({7}).fields(), {});
  CHECK(found && found->rows.count == 1 && found->count == 7 && found->bytes() == 7 * sizeof(float));
  CHECK(mono.look(Array({1, 7}).fields(), {}).has_value() && !mono.look(Array({0}).fields(), {}));
}

void test_nothing_is_usual_at_first() {
  CHECK(!Usual{}.look(Array({2, 2}).fields(), at(0)));
  Array without({2, 2});
  without.type = nullptr;
  CHECK(!Usual{}.look(without.fields(), at(0)));
}

void test_frames() {
  const Usual frames = usual(PieceKind::kFrames, {4, 3, 2});
  Array frame({4, 3, 2});
  auto found = frames.look(frame.fields(), at(2));
  CHECK(found && copied(*found) == frame.numbers && found->time == 2.0);
  CHECK(!frames.look(frame.fields(), {}));  // without a rate a frame needs its time
  CHECK(usual(PieceKind::kFrames, {4, 3, 2}, true).look(frame.fields(), {}).has_value());
  CHECK(!frames.look(frame.fields(), {Moment::Kind::kOther}));
  CHECK(!frames.look(Array({4, 3}).fields(), at(2)) && !frames.look(Array({4, 2, 3}).fields(), at(2)));
  frame.strides[0] = -frame.strides[0];  // rows from the last to the first
  Fields turned = frame.fields();
  turned.data -= 3 * frame.strides[0];
  found = frames.look(turned, at(2));
  CHECK(found && copied(*found).front() == 18 && copied(*found).back() == 5);
  frame.strides[1] = 3 * sizeof(float);
  CHECK(!frames.look(frame.fields(), at(2)));
}

void test_samples() {
  const Usual imu = usual(PieceKind::kSamples, {6, 1});
  const Array samples({6, 3});
  const Times times({1, 2, 3});
  auto found = imu.look(samples.fields(), times.moment());
  CHECK(found && found->count == 3 && found->newest == 3.0 && !found->time);
  CHECK(found && found->times == times.seconds.data() && found->time_bytes == 3 * sizeof(double));
  CHECK(found && copied(*found) == samples.numbers);
  CHECK(!imu.look(samples.fields(), Times({1, 2}).moment()) && !imu.look(samples.fields(), at(1)));
  CHECK(!imu.look(samples.fields(), {}) && !imu.look(Array({5, 3}).fields(), times.moment()));
  CHECK(!imu.look(Array({6, 0}).fields(), Times({}).moment()));
  const Times room({1, 2, 3, 4});
  Times odd({1, 2, 3});
  odd.strides[0] = 2 * sizeof(double);
  CHECK(!imu.look(samples.fields(), odd.moment()));
  Moment shifted = room.moment(4);  // between two doubles
  shifted.times.shape = times.shape.data();
  CHECK(!imu.look(samples.fields(), shifted));
}

void test_single_samples() {
  const Usual imu = usual(PieceKind::kSamples, {6, 1});
  const Array sample({6});
  const auto found = imu.look(sample.fields(), at(4));
  CHECK(found && found->count == 1 && found->time == 4.0 && found->newest == 4.0);
  CHECK(found && found->times == nullptr && found->bytes() == 6 * sizeof(float) + sizeof(double));
  CHECK(found && copied(*found) == sample.numbers);
  CHECK(!imu.look(sample.fields(), {}) && !imu.look(Array({5}).fields(), at(4)));
}

}  // namespace
}  // namespace bindrt::live

int main() {
  using namespace bindrt::live;
  test_blocks();
  test_nothing_is_usual_at_first();
  test_frames();
  test_samples();
  test_single_samples();
  return bindrt::testing::finish();
}
