#include <pybind11/pybind11.h>

#include <string>

#include "csrc/bindings.h"
#include "kernels/cpu_features.h"

namespace py = pybind11;

namespace bindrt {
namespace {

std::string compiler() {
#if defined(__clang__)
  return std::string("clang ") + __clang_version__;
#elif defined(__GNUC__)
  return std::string("gcc ") + __VERSION__;
#else
  return "unknown";
#endif
}

py::dict build_info() {
  py::dict features;
  for (const kernels::CpuFeature& feature : kernels::cpu_features()) {
    features[py::str(feature.name.data(), feature.name.size())] = feature.present;
  }
  py::dict info;
  info["version"] = BINDRT_VERSION;
  info["compiler"] = compiler();
  info["cxx_standard"] = static_cast<long>(__cplusplus);
  info["build_type"] = BINDRT_BUILD_TYPE;
  info["cpu_features"] = features;
  info["cuda"] = false;
  return info;
}

}  // namespace
}  // namespace bindrt

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled part of bindrt.";
  module.def("build_info", &bindrt::build_info,
             "How this module was built, and the processor's features found at run time.");
  bindrt::bind_pool(module);
}
