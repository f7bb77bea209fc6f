#include "csrc/python/arguments/map.h"

#include <pybind11/pybind11.h>

#include <cmath>

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::DepthUnit;

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
  if (map.type == kernels::MapType::kFloat32 || map.type == kernels::MapType::kFloat64) {
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

kernels::DepthOptions read_depth_options(const kernels::Map& map, const std::string& unit, double focal,
                                         double baseline, double depth_scale, bool missing_near, bool half,
                                         int threads) {
  return {read_unit(unit, map),
          positive(focal, "focal"),
          positive(baseline, "baseline"),
          positive(depth_scale, "depth_scale"),
          missing_near,
          half ? kernels::OutType::kFloat16 : kernels::OutType::kFloat32,
          threads};
}

bool has_range(const kernels::Map& frame, const std::optional<double>& low,
               const std::optional<double>& high) {
  if (low.has_value() && high.has_value()) {
    require_range(*low, *high);
    return true;
  }
  if (low.has_value() || high.has_value() || frame.type != kernels::MapType::kUint8) {
    throw py::value_error("low and high are both needed, or neither for uint8 frames");
  }
  return false;
}

}  // namespace bindrt
