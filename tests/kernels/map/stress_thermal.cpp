// The thermal op on random frames.
#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "kernels/image/image.h"
#include "kernels/map/map_statistics.h"
#include "kernels/map/thermal.h"
#include "tests/cpp/stress.h"
#include "tests/kernels/map/map_case.h"
#include "tests/kernels/map/stress_map.h"

namespace bindrt::stress {
namespace {

using kernels::kPictureSide;
using kernels::ThermalOptions;

constexpr std::int64_t kPixels = std::int64_t{kPictureSide} * kPictureSide;

// All numbers of a map, in order of their places.
template <class Number>
std::vector<Number> all_numbers(const MapMemory<Number>& memory) {
  std::vector<Number> all;
  for (std::int32_t y = 0; y < memory.height(); ++y) {
    for (std::int32_t x = 0; x < memory.width(); ++x) {
      all.push_back(memory.at(x, y));
    }
  }
  return all;
}

// A range about the frame's numbers, of one width or of almost none, or one that no camera has.
template <class Number>
ThermalOptions random_range(Bytes& bytes, const std::vector<Number>& numbers) {
  ThermalOptions options;
  if (bytes.chance(8)) {
    options.low = std::ldexp(bytes.real(-1, 1), bytes.number(-1070, 1020));
    options.high = options.low + std::ldexp(1.0, bytes.number(-1074, 1020));
  } else {
    const auto last = static_cast<std::int64_t>(numbers.size()) - 1;
    options.low = static_cast<double>(numbers[static_cast<std::size_t>(bytes.range(0, last))]) / 2;
    options.high = options.low + std::ldexp(bytes.real(0.5, 1), bytes.number(-20, 16));
  }
  if (!(options.low < options.high)) {  // the width was lost in rounding
    options.high = std::nextafter(options.low, std::numeric_limits<double>::infinity());
  }
  return options;
}

template <class Number>
void check_some(const MapMemory<Number>& memory, const ThermalOptions& options, const Out& out,
                Bytes& bytes) {
  const int x = bytes.number(0, kPictureSide - 1);
  const int y = bytes.number(0, kPictureSide - 1);
  const double square = testing::square_pixel(
      memory.width(), memory.height(), kernels::ResizeFilter::kBicubic, x, y,
      [&](std::int32_t column, std::int32_t row) {
        const auto value = static_cast<double>(memory.at(column, row));
        return std::clamp((value - options.low) / (options.high - options.low), 0.0, 1.0);
      });
  CHECK_NEAR(static_cast<double>(out.number(std::int64_t{y} * kPictureSide + x)),
             std::clamp(square, 0.0, 1.0), 1e-6);
}

template <class Number>
void stretches(Bytes& bytes, const MapMemory<Number>& memory, const std::vector<Number>& numbers) {
  ThermalOptions options = random_range(bytes, numbers);
  options.threads = bytes.number(1, 4);
  bytes.level();
  Out out(kernels::OutType::kFloat32, kPixels, bytes);
  CHECK(kernels::thermal_stretched(memory.map(), options, out.data()));
  CHECK(out.numbers.intact());
  CHECK(all_within(out, 0.0F, 1.0F));
  if (std::isnormal(options.high - options.low)) {
    check_some(memory, options, out, bytes);
  }

  options.threads = bytes.number(1, 4);
  bytes.level();
  Out again(kernels::OutType::kFloat32, kPixels, bytes);
  CHECK(kernels::thermal_stretched(memory.map(), options, again.data()));
  CHECK(again.same(out));

  options.out_type = kernels::OutType::kFloat16;
  Out halves(kernels::OutType::kFloat16, kPixels, bytes);
  CHECK(kernels::thermal_stretched(memory.map(), options, halves.data()));
  CHECK(halves.halves_of(out));
}

template <class Number>
void percentiles(Bytes& bytes, const MapMemory<Number>& memory, std::vector<Number> sorted) {
  std::sort(sorted.begin(), sorted.end());
  constexpr int kMost = 4;
  const int count = bytes.number(1, kMost);
  double percents[kMost] = {};
  for (double& percent : percents) {
    percent = bytes.chance(3) ? 100.0 * bytes.number(0, 1) : bytes.real(0, 100);
  }
  double values[kMost] = {};
  CHECK(kernels::map_percentiles(memory.map(), percents, count, values));
  for (int i = 0; i < count; ++i) {
    const double place = static_cast<double>(sorted.size() - 1) * (percents[i] / 100);
    const auto rank = static_cast<std::size_t>(place);
    const auto low = static_cast<long double>(sorted[rank]);
    const auto high = static_cast<long double>(sorted[std::min(rank + 1, sorted.size() - 1)]);
    const long double want = low + (high - low) * static_cast<long double>(place - static_cast<double>(rank));
    const long double most = std::max(std::fabs(low), std::fabs(high));
    if (std::is_floating_point_v<Number> &&
        high - low > static_cast<long double>(std::numeric_limits<Number>::max())) {
      continue;  // the step is infinite, as NumPy's is
    }
    // The step is of the map's type, as NumPy's is.
    const long double nearest = std::is_same_v<Number, float> ? 1e-7L : 1e-8L;
    CHECK(std::fabs(values[i] - want) <= nearest * (high - low) + 1e-15L * most);
  }
}

// 8 bits are a grey picture.
void bytes_of(Bytes& bytes, const MapMemory<std::uint8_t>& memory) {
  const kernels::Map map = memory.map();
  const kernels::Picture picture{static_cast<const std::uint8_t*>(map.pixels), map.width, map.height,
                                 map.row_stride, kernels::PixelLayout::kGrey};
  Exact<std::uint8_t> pixels(kPixels);
  CHECK(kernels::image_to_bytes(picture, kPictureSide, pixels.data(), 1));
  Out out(bytes.out_type(), kPixels, bytes);
  bytes.level();
  CHECK(kernels::thermal_bytes(map, out.type, out.data(), bytes.number(1, 4)));
  CHECK(out.numbers.intact());
  Out want(out.type, kPixels, bytes);
  for (std::int64_t i = 0; i < kPixels; ++i) {
    kernels::store(want.data(), want.type, i, static_cast<float>(pixels[i]) / 255.0F);
  }
  CHECK(out.same(want));
}

template <class Number>
void frames(Bytes& bytes) {
  const MapMemory<Number> memory(bytes, true);
  const std::vector<Number> numbers = all_numbers(memory);
  const auto wrong = std::count_if(numbers.begin(), numbers.end(),
                                   [](Number number) { return !std::isfinite(static_cast<double>(number)); });
  bytes.level();
  CHECK(kernels::count_not_finite(memory.map(), bytes.number(1, 4)) == wrong);
  if (wrong == 0) {
    stretches(bytes, memory, numbers);
    percentiles(bytes, memory, numbers);
  }
  if constexpr (std::is_same_v<Number, std::uint8_t>) {
    bytes_of(bytes, memory);
  }
}

}  // namespace

void one_case(Bytes& bytes) {
  with_map_type(bytes, [&bytes](auto number) { frames<decltype(number)>(bytes); });
}

}  // namespace bindrt::stress
