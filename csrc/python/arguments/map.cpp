// Checks of maps, such as depth or temperature, and of what says how to read them.
#include "csrc/python/arguments/map.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "csrc/python/arguments/arrays.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::DepthUnit;
using kernels::MapType;

struct Kind {
  char kind;  // as NumPy names it
  py::ssize_t itemsize;
  MapType type;
};

constexpr std::array<Kind, 10> kKinds{{
    {'u', 1, MapType::kUint8},
    {'i', 1, MapType::kInt8},
    {'u', 2, MapType::kUint16},
    {'i', 2, MapType::kInt16},
    {'u', 4, MapType::kUint32},
    {'i', 4, MapType::kInt32},
    {'u', 8, MapType::kUint64},
    {'i', 8, MapType::kInt64},
    {'f', 4, MapType::kFloat32},
    {'f', 8, MapType::kFloat64},
}};

MapType type_of(const py::array& array) {
  const py::dtype dtype = array.dtype();
  for (const Kind& known : kKinds) {
    if (dtype.kind() == known.kind && dtype.itemsize() == known.itemsize &&
        (dtype.byteorder() == '=' || dtype.byteorder() == '|')) {
      return known.type;
    }
  }
  throw py::value_error("the map has dtype " + dtype_text(array) +
                        "; it must hold integers, float32 or float64 of this machine's byte order");
}

DepthUnit read_unit(const std::string& name, const kernels::Map& map) {
  if (name == "m") {
    return DepthUnit::kMetres;
  }
  if (name == "mm") {
    return DepthUnit::kMillimetres;
  }
  if (name == "disparity") {
    return DepthUnit::kDisparity;
  }
  if (name != "sunrgbd") {
    throw py::value_error("unit is '" + name + "'; it is one of m, mm, sunrgbd, disparity");
  }
  if (map.type == MapType::kFloat32 || map.type == MapType::kFloat64) {
    throw py::value_error("SUN RGB-D's counts are integers, not floats");
  }
  return DepthUnit::kSunRgbd;
}

double positive(double value, const char* name) {
  if (!std::isfinite(value) || value <= 0.0) {
    throw py::value_error(std::string(name) + " is " + std::to_string(value) + "; it is a number above 0");
  }
  return value;
}

void require_range(double low, double high) {
  if (!(low < high) || !std::isfinite(high - low)) {
    throw py::value_error("the range is " + std::to_string(low) + " to " + std::to_string(high) +
                          "; low must be below high, both finite");
  }
}

}  // namespace

kernels::Map read_map(const py::object& object) {
  const py::array array = require_array(object, "the map");
  const MapType type = type_of(array);
  constexpr py::ssize_t kMost = std::numeric_limits<std::int32_t>::max();
  if (array.ndim() != 2 || array.size() == 0 || array.shape(0) > kMost || array.shape(1) > kMost) {
    throw py::value_error("the map has shape " + shape_text(array) + "; it must be (H, W) and not empty");
  }
  const py::ssize_t size = array.itemsize();
  const bool adjacent = array.shape(1) == 1 || array.strides(1) == size;
  const py::ssize_t stride = array.shape(0) == 1 ? 0 : array.strides(0);
  if (!is_aligned(array) || !adjacent || stride % size != 0) {
    throw py::value_error(
        "the rows of the map are not adjacent and aligned; pass numpy.ascontiguousarray(map)");
  }
  return {array.data(), type, static_cast<std::int32_t>(array.shape(1)),
          static_cast<std::int32_t>(array.shape(0)), stride};
}

kernels::DepthOptions read_depth_options(const kernels::Map& map, const std::string& unit, double focal,
                                         double baseline, double depth_scale, bool missing_near, bool half,
                                         int threads) {
  return {read_unit(unit, map),
          positive(focal, "focal"),
          positive(baseline, "baseline"),
          positive(depth_scale, "depth_scale"),
          missing_near,
          out_type(half),
          threads};
}

bool has_range(const kernels::Map& frame, const std::optional<double>& low,
               const std::optional<double>& high) {
  if (low.has_value() && high.has_value()) {
    require_range(*low, *high);
    return true;
  }
  if (low.has_value() || high.has_value() || frame.type != MapType::kUint8) {
    throw py::value_error("low and high are both needed, or neither for uint8 frames");
  }
  return false;
}

}  // namespace bindrt
