// The thermal op and the statistics of maps against their definitions.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/image/image.h"
#include "kernels/map/map_statistics.h"
#include "kernels/map/thermal.h"
#include "tests/cpp/check.h"
#include "tests/kernels/map/map_case.h"

namespace {

using namespace bindrt::kernels;
using bindrt::testing::Layout;
using bindrt::testing::MapCase;

constexpr std::size_t kPixels = std::size_t{kPictureSide} * kPictureSide;
constexpr CpuLevel kLevels[] = {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512};
using Floats = std::vector<float>;

Floats stretch(const Map& frame, const ThermalOptions& options) {
  Floats out(kPixels, -99.0F);
  CHECK(thermal_stretched(frame, options, out.data()));
  return out;
}

template <class Number>
MapCase<Number> random_frame(std::int32_t width, std::int32_t height, Layout layout, double low, double high,
                             std::uint32_t seed) {
  MapCase<Number> made(width, height, layout);
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> values(low, high);
  for (std::int32_t y = 0; y < height; ++y) {
    for (std::int32_t x = 0; x < width; ++x) {
      made.at(x, y) = static_cast<Number>(values(random));
    }
  }
  return made;
}

template <class Number>
void against_definition(const MapCase<Number>& it, double low, double high) {
  limit_cpu_level(CpuLevel::kBaseline);
  const Floats want = stretch(it.map(), {low, high});
  const auto scaled = [&](std::int32_t x, std::int32_t y) {
    return std::clamp((static_cast<double>(it.at(x, y)) - low) / (high - low), 0.0, 1.0);
  };
  std::mt19937 random(1);
  std::uniform_int_distribution<std::int32_t> places(0, kPictureSide - 1);
  for (int i = 0; i < 12; ++i) {
    const std::int32_t x = i == 0 ? 0 : i == 1 ? kPictureSide - 1 : places(random);
    const std::int32_t y = i == 0 ? 0 : i == 1 ? kPictureSide - 1 : places(random);
    const double value =
        bindrt::testing::square_pixel(it.width, it.height, ResizeFilter::kBicubic, x, y, scaled);
    const float got = want[static_cast<std::size_t>(y * kPictureSide + x)];
    CHECK_NEAR(static_cast<double>(got), std::clamp(value, 0.0, 1.0), 3e-7);
  }
  for (const CpuLevel level : kLevels) {
    limit_cpu_level(level);
    for (const int threads : {1, 3}) {
      CHECK(stretch(it.map(), {low, high, OutType::kFloat32, threads}) == want);  // the very same bits
    }
  }
  std::vector<std::uint16_t> halves(kPixels);
  CHECK(thermal_stretched(it.map(), {low, high, OutType::kFloat16, 1}, halves.data()));
  for (std::size_t i = 0; i < kPixels; ++i) {
    CHECK(halves[i] == to_half(want[i]));
  }
}

void sizes_and_types() {
  constexpr struct {
    std::int32_t width, height;
  } kSizes[] = {{1, 1}, {1, 9}, {9, 1}, {3, 5}, {224, 224}, {61, 47}, {17, 300}, {300, 17}, {319, 241}};
  std::uint32_t seed = 0;
  for (const auto [width, height] : kSizes) {
    const auto layout = static_cast<Layout>(seed % 3);
    against_definition(random_frame<std::uint16_t>(width, height, layout, 0, 65535, seed), 20000, 40000);
    against_definition(random_frame<float>(width, height, layout, -40, 120, seed), -10.5, 60.25);
    ++seed;
  }
  against_definition(random_frame<double>(50, 60, Layout::kPadded, 25.0, 25.001, 20), 25.0, 25.001);
  against_definition(random_frame<std::int16_t>(50, 60, Layout::kPadded, -30000, 30000, 21), -20000, 100);
  against_definition(random_frame<std::int64_t>(50, 60, Layout::kPadded, -9e18, 9e18, 22), -8e18, 8e18);
  against_definition(random_frame<std::uint8_t>(50, 60, Layout::kUpsideDown, 0, 255, 23), 10, 200);
}

void bytes_are_a_grey_picture() {
  const auto frame = random_frame<std::uint8_t>(320, 240, Layout::kPadded, 0, 256, 30);
  const Map map = frame.map();
  Floats out(kPixels);
  std::vector<std::uint8_t> pixels(kPixels);
  const Picture picture{static_cast<const std::uint8_t*>(map.pixels), map.width, map.height, map.row_stride,
                        PixelLayout::kGrey};
  CHECK(image_to_bytes(picture, kPictureSide, pixels.data(), 1));
  for (const CpuLevel level : kLevels) {
    limit_cpu_level(level);
    CHECK(thermal_bytes(map, OutType::kFloat32, out.data(), 2));
    for (std::size_t i = 0; i < kPixels; ++i) {
      CHECK(out[i] == static_cast<float>(pixels[i]) / 255.0F);
    }
  }
}

void ranges_of_no_width() {
  const MapCase<double> frame = [] {
    MapCase<double> made(2, 1, Layout::kPlain);
    made.numbers = {0.0, 5e-324};
    return made;
  }();
  for (const CpuLevel level : kLevels) {
    limit_cpu_level(level);
    for (const float value : stretch(frame.map(), {0.0, 5e-324})) {
      CHECK(value >= 0.0F && value <= 1.0F);  // no NaN
    }
  }
}

template <class Number>
void percentiles_of(MapCase<Number> it) {
  std::vector<Number> sorted;
  for (std::int32_t y = 0; y < it.height; ++y) {
    for (std::int32_t x = 0; x < it.width; ++x) {
      sorted.push_back(it.at(x, y));
    }
  }
  std::sort(sorted.begin(), sorted.end());
  const double percents[] = {0, 0.1, 1, 25, 50, 75.5, 99, 99.99, 100};
  double values[9] = {};
  CHECK(map_percentiles(it.map(), percents, 9, values));
  for (int i = 0; i < 9; ++i) {
    const double place = static_cast<double>(sorted.size() - 1) * (percents[i] / 100);
    const auto rank = static_cast<std::size_t>(place);
    const auto low = static_cast<long double>(sorted[rank]);
    const auto high = static_cast<long double>(sorted[std::min(rank + 1, sorted.size() - 1)]);
    const long double want = low + (high - low) * static_cast<long double>(place - static_cast<double>(rank));
    CHECK_NEAR(values[i], static_cast<double>(want), 1e-6 * std::fabs(static_cast<double>(want)) + 1e-12);
  }
}

template <class Number>
void percentiles() {
  const bool is_signed = std::numeric_limits<Number>::is_signed;
  const double most = std::is_floating_point_v<Number>
                          ? 1e30
                          : 0.49 * static_cast<double>(std::numeric_limits<Number>::max());
  std::uint32_t seed = 40;
  for (const std::int32_t width : {1, 2, 3, 10, 97}) {
    for (const double scale : {1.0, 1e-2, 1e-9, 0.0}) {  // all different to all equal
      const double high = most * scale + 1;
      percentiles_of(random_frame<Number>(width, 1 + width / 2, static_cast<Layout>(seed % 3),
                                          is_signed ? -high : 0, high, seed));
      ++seed;
    }
  }
}

void not_finite() {
  auto frame = random_frame<float>(70, 50, Layout::kPadded, -1, 1, 50);
  CHECK(count_not_finite(frame.map(), 2) == 0);
  frame.at(0, 0) = std::numeric_limits<float>::quiet_NaN();
  frame.at(69, 49) = std::numeric_limits<float>::infinity();
  frame.at(3, 20) = -std::numeric_limits<float>::infinity();
  auto wide = random_frame<double>(5, 1, Layout::kPlain, -1, 1, 51);
  wide.at(4, 0) = std::numeric_limits<double>::max();
  for (const CpuLevel level : kLevels) {
    limit_cpu_level(level);
    CHECK(count_not_finite(frame.map(), 2) == 3);
    CHECK(count_not_finite(wide.map(), 1) == 0);
  }
  CHECK(count_not_finite(random_frame<std::int32_t>(9, 9, Layout::kPlain, -9, 9, 52).map(), 1) == 0);
}

void threads() {
  const auto frame = random_frame<std::uint16_t>(200, 150, Layout::kPlain, 0, 65535, 60);
  const Floats want = stretch(frame.map(), {100, 60000});
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&] {
      for (int round = 0; round < 4; ++round) {
        CHECK(stretch(frame.map(), {100, 60000, OutType::kFloat32, 2}) == want);
        const double percents[] = {0, 100};
        double values[2] = {};
        CHECK(map_percentiles(frame.map(), percents, 2, values) && values[0] < values[1]);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
}

}  // namespace

int main() {
  sizes_and_types();
  bytes_are_a_grey_picture();
  ranges_of_no_width();
  percentiles<std::uint8_t>();
  percentiles<std::int8_t>();
  percentiles<std::uint16_t>();
  percentiles<std::int16_t>();
  percentiles<std::uint32_t>();
  percentiles<std::int32_t>();
  percentiles<std::uint64_t>();
  percentiles<std::int64_t>();
  percentiles<float>();
  percentiles<double>();
  not_finite();
  threads();
  return bindrt::testing::finish();
}
