// The module `bindrt._core`: what it was built from, its instruction set, and all its parts.
#include <pybind11/pybind11.h>

#include <string>

#include "csrc/python/bindings.h"
#include "csrc/python/ops/operators.h"
#include "kernels/base/cpu_features.h"
#include "kernels/base/dispatch.h"

namespace py = pybind11;

namespace bindrt {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) + "." +
         std::to_string(__clang_patchlevel__);
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
  info["gpu_kernels"] = gpu_kernels();
  info["cuda"] = !info["gpu_kernels"].is_none();
  return info;
}

std::string cpu_level() { return std::string(kernels::cpu_level_name(kernels::cpu_level())); }

std::string limit_cpu_level(const std::string& name) {
  for (const auto level :
       {kernels::CpuLevel::kBaseline, kernels::CpuLevel::kAvx2, kernels::CpuLevel::kAvx512}) {
    if (name == kernels::cpu_level_name(level)) {
      return std::string(kernels::cpu_level_name(kernels::limit_cpu_level(level)));
    }
  }
  throw py::value_error("'" + name + "' is not a level; it is baseline, avx2 or avx512");
}

}  // namespace
}  // namespace bindrt

// State of ours that several threads reach has its own lock: a free-threaded interpreter may run this as it
// is.
PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
  module.doc() = "The compiled part of bindrt.";
  module.def("build_info", &bindrt::build_info,
             "How this module was built, and the processor's features found at run time.");
  module.def("cpu_level", &bindrt::cpu_level,
             "The instruction set that kernels use: baseline, avx2 or avx512.");
  module.def("limit_cpu_level", &bindrt::limit_cpu_level, py::arg("name"),
             "Use at most this level in this process, for tests; returns the level now in use.");
  bindrt::bind_arrays(module);
  bindrt::bind_constants(module);
  bindrt::bind_cores(module);
  bindrt::bind_film(module);
  bindrt::bind_gpu(module);
  bindrt::bind_inbox(module);
  bindrt::bind_jpeg(module);
  bindrt::bind_json_numbers(module);
  bindrt::bind_mel_store(module);
  bindrt::bind_native_encoder(module);
  bindrt::bind_native_kernels(module);
  bindrt::bind_owned(module);
  bindrt::bind_pillow(module);
  bindrt::bind_png(module);
  bindrt::bind_prepare(module);
  bindrt::bind_sound(module);
  bindrt::bind_sound_track(module);
  bindrt::bind_operators(module);
  bindrt::bind_pipeline(module);
  bindrt::bind_text(module);
}
