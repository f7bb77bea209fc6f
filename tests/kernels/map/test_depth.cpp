// The depth op against its definition.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/map/depth.h"
#include "tests/cpp/check.h"
#include "tests/kernels/map/map_case.h"

namespace {

using namespace bindrt::kernels;
using bindrt::testing::Layout;
using bindrt::testing::MapCase;

constexpr std::size_t kPixels = std::size_t{kPictureSide} * kPictureSide;

struct Result {
  std::vector<float> pixels = std::vector<float>(kPixels, -99.0F);
  std::int64_t missing = -1;
  bool operator==(const Result&) const = default;
};

Result run(const Map& map, const DepthOptions& options) {
  Result result;
  CHECK(depth_square(map, options, result.pixels.data(), &result.missing));
  return result;
}

// The definition, in double; `value` in the map's unit.
double disparity(double value, const DepthOptions& options, bool known) {
  const double pixels = options.focal * options.baseline;
  double out = value;
  if (!known) {
    out = pixels / (options.missing_near ? 0.01 : 50.0);
  } else if (options.unit != DepthUnit::kDisparity) {
    double metres = options.unit == DepthUnit::kMetres ? value : value / 1000;
    metres = options.unit == DepthUnit::kSunRgbd ? std::min(metres, 8.0) : metres;
    out = pixels / std::clamp(metres * options.depth_scale, 0.01, 50.0);
  }
  return std::clamp(out, 0.01, 75.0) / 75;
}

template <class Number>
MapCase<Number> random_map(std::int32_t width, std::int32_t height, Layout layout, double most,
                           std::uint32_t seed) {
  MapCase<Number> made(width, height, layout);
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> values(-0.1 * most, most);  // a tenth is missing
  for (std::int32_t y = 0; y < height; ++y) {
    for (std::int32_t x = 0; x < width; ++x) {
      made.at(x, y) = static_cast<Number>(std::max(values(random), 0.0));
    }
  }
  return made;
}

template <class Number>
void against_definition(const MapCase<Number>& it, const DepthOptions& options) {
  limit_cpu_level(CpuLevel::kBaseline);
  const Result want = run(it.map(), options);
  const auto scaled = [&](std::int32_t x, std::int32_t y) {
    return disparity(static_cast<double>(it.at(x, y)), options, it.at(x, y) > 0);
  };
  std::mt19937 random(1);
  std::uniform_int_distribution<std::int32_t> places(0, kPictureSide - 1);
  for (int i = 0; i < 12; ++i) {
    const std::int32_t x = i == 0 ? 0 : i == 1 ? kPictureSide - 1 : places(random);
    const std::int32_t y = i == 0 ? 0 : i == 1 ? kPictureSide - 1 : places(random);
    const double value =
        bindrt::testing::square_pixel(it.width, it.height, ResizeFilter::kBilinear, x, y, scaled);
    const float got = want.pixels[static_cast<std::size_t>(y * kPictureSide + x)];
    CHECK_NEAR(static_cast<double>(got), (value - 0.0418) / 0.0295, 1e-5);
  }
  std::int64_t missing = 0;
  for (std::int32_t y = 0; y < it.height; ++y) {
    for (std::int32_t x = 0; x < it.width; ++x) {
      missing += it.at(x, y) > 0 ? 0 : 1;
    }
  }
  CHECK(want.missing == missing);
  DepthOptions other = options;
  for (const CpuLevel level : {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    limit_cpu_level(level);
    for (const int threads : {1, 3}) {
      other.threads = threads;
      CHECK(run(it.map(), other) == want);  // the very same bits
    }
  }
  other.out_type = OutType::kFloat16;
  std::vector<std::uint16_t> halves(kPixels);
  CHECK(depth_square(it.map(), other, halves.data(), &missing));
  for (std::size_t i = 0; i < kPixels; ++i) {
    CHECK(halves[i] == to_half(want.pixels[i]));
  }
}

void sizes_and_layouts() {
  constexpr struct {
    std::int32_t width, height;
  } kSizes[] = {{1, 1},     {1, 9},   {9, 1},    {3, 5},    {224, 224},
                {225, 224}, {61, 47}, {17, 300}, {300, 17}, {417, 303}};
  std::uint32_t seed = 0;
  for (const auto [width, height] : kSizes) {
    const auto layout = static_cast<Layout>(seed % 3);
    against_definition(random_map<std::uint16_t>(width, height, layout, 6000, seed),
                       {DepthUnit::kMillimetres});
    against_definition(random_map<float>(width, height, layout, 6, seed), {DepthUnit::kMetres});
    ++seed;
  }
}

void units() {
  const DepthOptions metres{DepthUnit::kMetres, 600, 0.095, 1.0, true};
  against_definition(random_map<double>(90, 70, Layout::kPadded, 60, 11), metres);
  against_definition(random_map<float>(90, 70, Layout::kPlain, 90, 12), {DepthUnit::kDisparity});
  MapCase<std::uint16_t> packed = random_map<std::uint16_t>(80, 60, Layout::kUpsideDown, 9000, 13);
  DepthOptions options{DepthUnit::kSunRgbd};
  limit_cpu_level(CpuLevel::kAvx512);
  DepthOptions plain{DepthUnit::kMillimetres};
  for (std::uint16_t& value : packed.numbers) {
    value = std::min<std::uint16_t>(value, 8000);
  }
  const Result want = run(packed.map(), plain);
  for (std::uint16_t& value : packed.numbers) {
    value = static_cast<std::uint16_t>(value << 3 | value >> 13);
  }
  CHECK(run(packed.map(), options) == want);
}

template <class Number>
void same_as(const MapCase<std::uint8_t>& counts, const Result& want) {
  MapCase<Number> copy(counts.width, counts.height, Layout::kPadded);
  for (std::int32_t y = 0; y < counts.height; ++y) {
    for (std::int32_t x = 0; x < counts.width; ++x) {
      copy.at(x, y) = static_cast<Number>(counts.at(x, y));
    }
  }
  for (const CpuLevel level : {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    limit_cpu_level(level);
    CHECK(run(copy.map(), {DepthUnit::kMillimetres}) == want);
  }
}

void every_type() {
  const auto counts = random_map<std::uint8_t>(75, 40, Layout::kPlain, 127, 14);
  const Result want = run(counts.map(), {DepthUnit::kMillimetres});
  same_as<std::int8_t>(counts, want);
  same_as<std::uint16_t>(counts, want);
  same_as<std::int16_t>(counts, want);
  same_as<std::uint32_t>(counts, want);
  same_as<std::int32_t>(counts, want);
  same_as<std::uint64_t>(counts, want);
  same_as<std::int64_t>(counts, want);
  same_as<float>(counts, want);
  same_as<double>(counts, want);
}

// Numbers at the ends of their types are far or near, not missing; NaN, infinity, 0 and below are.
void extreme_numbers() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double far = (0.075 * 518.8579 / 50 / 75 - 0.0418) / 0.0295;
  const double near = (1.0 - 0.0418) / 0.0295;
  struct Extreme {
    double value;
    double want;
    std::int64_t missing;
  };
  for (const Extreme it :
       {Extreme{1e300, far, 0}, Extreme{5e-324, near, 0}, Extreme{infinity, far, 4},
        Extreme{-infinity, far, 4}, Extreme{std::nan(""), far, 4}, Extreme{-1.0, far, 4}}) {
    MapCase<double> map(2, 2, Layout::kPlain);
    map.numbers.assign(4, it.value);
    for (const CpuLevel level : {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
      limit_cpu_level(level);
      const Result got = run(map.map(), {});
      CHECK_NEAR(static_cast<double>(got.pixels[7]), it.want, 1e-5);
      CHECK(got.missing == it.missing);
    }
  }
  MapCase<std::int64_t> integers(2, 1, Layout::kPlain);
  integers.numbers = {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  const Result got = run(integers.map(), {DepthUnit::kMillimetres});
  CHECK_NEAR(static_cast<double>(got.pixels[0]), far, 1e-5);
  CHECK(got.missing == 1);
}

// A line is never resized whole: that would be 2·10^10 pixels.
void lines() {
  for (const bool tall : {false, true}) {
    MapCase<std::uint16_t> line(tall ? 1 : 400'000, tall ? 400'000 : 1, Layout::kPlain);
    line.numbers.assign(400'000, 2000);
    line.numbers[5] = 0;
    const Result got = run(line.map(), {DepthUnit::kMillimetres});
    CHECK_NEAR(static_cast<double>(got.pixels[100]), (0.075 * 518.8579 / 16 / 75 - 0.0418) / 0.0295, 1e-5);
    CHECK(got.missing == 1);
  }
}

void threads() {
  const auto it = random_map<std::uint16_t>(200, 150, Layout::kPlain, 6000, 15);
  const DepthOptions options{DepthUnit::kMillimetres};
  const Result want = run(it.map(), options);
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&] {
      DepthOptions mine = options;
      mine.threads = 2;
      for (int round = 0; round < 5; ++round) {
        CHECK(run(it.map(), mine) == want);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
}

}  // namespace

int main() {
  sizes_and_layouts();
  units();
  every_type();
  extreme_numbers();
  lines();
  threads();
  return bindrt::testing::finish();
}
