// The depth op on random maps.
#include <algorithm>
#include <cmath>

#include "kernels/map/depth.h"
#include "tests/cpp/stress.h"
#include "tests/kernels/map/map_case.h"
#include "tests/kernels/map/stress_map.h"

namespace bindrt::stress {
namespace {

using kernels::DepthOptions;
using kernels::DepthUnit;
using kernels::kPictureSide;

DepthOptions random_options(Bytes& bytes, bool integers) {
  DepthOptions options;
  options.unit = static_cast<DepthUnit>(bytes.number(0, 3));
  if (options.unit == DepthUnit::kSunRgbd && !integers) {
    options.unit = DepthUnit::kMetres;
  }
  if (bytes.chance(2)) {
    const bool far = bytes.chance(6);  // numbers that no camera has
    options.focal = far ? std::ldexp(1.0, bytes.number(-200, 200)) : bytes.real(50, 2000);
    options.baseline = far ? std::ldexp(1.0, bytes.number(-200, 200)) : bytes.real(0.01, 0.5);
    options.depth_scale = far ? std::ldexp(1.0, bytes.number(-200, 200)) : bytes.real(0.5, 16);
  }
  options.missing_near = bytes.chance(2);
  return options;
}

bool usual(const DepthOptions& options) {
  return options.focal >= 50 && options.focal <= 2000 && options.baseline >= 0.01 &&
         options.baseline <= 0.5 && options.depth_scale >= 0.5 && options.depth_scale <= 16;
}

// The definition, in double.
double disparity(double value, std::int64_t whole, const DepthOptions& options) {
  const double pixels = options.focal * options.baseline;
  double out = value;
  if (!(value > 0) || std::isinf(value)) {
    out = pixels / (options.missing_near ? kernels::kDepthNearest : kernels::kDepthFarthest);
  } else if (options.unit != DepthUnit::kDisparity) {
    double metres = options.unit == DepthUnit::kMetres ? value : value / 1000;
    if (options.unit == DepthUnit::kSunRgbd) {
      const std::int64_t counts = whole & 0xFFFF;
      metres = std::min(static_cast<double>((counts >> 3 | counts << 13) & 0xFFFF) / 1000, 8.0);
    }
    out = pixels / std::clamp(metres * options.depth_scale, kernels::kDepthNearest, kernels::kDepthFarthest);
  }
  return std::clamp(out, kernels::kDisparityMin, kernels::kDisparityMax) / kernels::kDisparityMax;
}

template <class Number>
void check_some(const MapMemory<Number>& memory, const DepthOptions& options, const Out& out, Bytes& bytes) {
  const int x = bytes.number(0, kPictureSide - 1);
  const int y = bytes.number(0, kPictureSide - 1);
  const double square =
      testing::square_pixel(memory.width(), memory.height(), kernels::ResizeFilter::kBilinear, x, y,
                            [&](std::int32_t column, std::int32_t row) {
                              const Number number = memory.at(column, row);
                              std::int64_t whole = 0;
                              if constexpr (std::is_integral_v<Number>) {
                                whole = static_cast<std::int64_t>(number);
                              }
                              return disparity(static_cast<double>(number), whole, options);
                            });
  const double want = (square - kernels::kDisparityMean) / kernels::kDisparityStd;
  CHECK_NEAR(static_cast<double>(out.number(std::int64_t{y} * kPictureSide + x)), want, 2e-4);
}

template <class Number>
std::int64_t count_missing(const MapMemory<Number>& memory) {
  std::int64_t missing = 0;
  for (std::int32_t y = 0; y < memory.height(); ++y) {
    for (std::int32_t x = 0; x < memory.width(); ++x) {
      const auto value = static_cast<double>(memory.at(x, y));
      missing += value > 0 && !std::isinf(value) ? 0 : 1;
    }
  }
  return missing;
}

template <class Number>
void squares(Bytes& bytes) {
  const MapMemory<Number> memory(bytes, true);
  DepthOptions options = random_options(bytes, std::is_integral_v<Number>);
  options.threads = bytes.number(1, 4);
  bytes.level();
  Out out(kernels::OutType::kFloat32, std::int64_t{kPictureSide} * kPictureSide, bytes);
  std::int64_t missing = -1;
  CHECK(kernels::depth_square(memory.map(), options, out.data(), &missing));
  CHECK(out.numbers.intact());
  CHECK(missing == count_missing(memory));
  CHECK(all_within(out, -1.5F, 33.0F));
  if (usual(options)) {
    check_some(memory, options, out, bytes);
  }

  options.threads = bytes.number(1, 4);
  bytes.level();
  Out again(kernels::OutType::kFloat32, out.count, bytes);
  CHECK(kernels::depth_square(memory.map(), options, again.data(), &missing));
  CHECK(again.same(out));

  options.out_type = kernels::OutType::kFloat16;
  Out halves(kernels::OutType::kFloat16, out.count, bytes);
  CHECK(kernels::depth_square(memory.map(), options, halves.data(), &missing));
  CHECK(halves.halves_of(out));
}

}  // namespace

void one_case(Bytes& bytes) {
  with_map_type(bytes, [&bytes](auto number) { squares<decltype(number)>(bytes); });
}

}  // namespace bindrt::stress
