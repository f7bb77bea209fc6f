// What the tests of maps share: maps of any type and layout, and the resize from its definition.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "kernels/map/map.h"
#include "kernels/resize/square.h"

namespace bindrt::testing {

template <class Number>
constexpr kernels::MapType map_type() {
  using kernels::MapType;
  if constexpr (std::is_floating_point_v<Number>) {
    return sizeof(Number) == 4 ? MapType::kFloat32 : MapType::kFloat64;
  } else {
    constexpr int size = sizeof(Number) == 1 ? 0 : sizeof(Number) == 2 ? 2 : sizeof(Number) == 4 ? 4 : 6;
    return static_cast<MapType>(size + (std::is_signed_v<Number> ? 1 : 0));
  }
}

enum class Layout { kPlain, kPadded, kUpsideDown };

// A map in memory that ends with its last number, so that the address sanitizer sees a step too far.
template <class Number>
struct MapCase {
  MapCase(std::int32_t w, std::int32_t h, Layout layout) : width(w), height(h) {
    const std::int64_t stride = w + (layout == Layout::kPadded ? 3 : 0);
    numbers.resize(static_cast<std::size_t>(stride * (h - 1) + w));
    const bool down = layout == Layout::kUpsideDown;
    first = down ? stride * (h - 1) : 0;
    step = down ? -stride : stride;
  }

  Number& at(std::int32_t x, std::int32_t y) {
    return numbers[static_cast<std::size_t>(first + y * step + x)];
  }
  Number at(std::int32_t x, std::int32_t y) const {
    return numbers[static_cast<std::size_t>(first + y * step + x)];
  }
  kernels::Map map() const {
    return {numbers.data() + first, map_type<Number>(), width, height,
            step * static_cast<std::int64_t>(sizeof(Number))};
  }

  std::int32_t width;
  std::int32_t height;
  std::vector<Number> numbers;
  std::int64_t first = 0;
  std::int64_t step = 0;
};

// Output `i` of a resized axis, as weights of the input's pixels; from the definition of the filter.
inline std::vector<double> axis_weights(const kernels::AxisResize& axis, std::int32_t i) {
  const double scale = axis.in_size / static_cast<double>(axis.out_size);
  const double centre = (static_cast<double>(axis.first + i) + 0.5) * scale;
  std::vector<double> weights(static_cast<std::size_t>(axis.in_size), 0.0);
  double total = 0.0;
  const double reach = 3 * std::max(scale, 1.0);
  const auto begin = std::max(static_cast<std::int64_t>(centre - reach), std::int64_t{0});
  const auto end = std::min(static_cast<std::int64_t>(centre + reach) + 1, std::int64_t{axis.in_size});
  for (std::int64_t k = begin; k < end; ++k) {
    const double x = std::fabs((static_cast<double>(k) + 0.5 - centre) / std::max(scale, 1.0));
    double weight = std::max(1.0 - x, 0.0);
    if (axis.filter == kernels::ResizeFilter::kBicubic) {
      weight = x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
               : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                       : 0;
    }
    weights[static_cast<std::size_t>(k)] = weight;
    total += weight;
  }
  for (double& weight : weights) {
    weight /= total;
  }
  return weights;
}

// One pixel of the centre square of `value(x, y)`.
template <class Value>
double square_pixel(std::int32_t width, std::int32_t height, kernels::ResizeFilter filter, std::int32_t x,
                    std::int32_t y, const Value& value) {
  const kernels::SquareAxes axes = kernels::centre_square(width, height, kernels::kPictureSide, filter);
  const std::vector<double> across = axis_weights(axes.across, x);
  const std::vector<double> down = axis_weights(axes.down, y);
  double sum = 0.0;
  for (std::int32_t row = 0; row < height; ++row) {
    const double weight = down[static_cast<std::size_t>(row)];
    for (std::int32_t column = 0; weight != 0.0 && column < width; ++column) {
      const double factor = across[static_cast<std::size_t>(column)];
      sum += factor != 0.0 ? weight * factor * value(column, row) : 0.0;
    }
  }
  return sum;
}

}  // namespace bindrt::testing
