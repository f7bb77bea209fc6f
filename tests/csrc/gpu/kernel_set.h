// Kernels for test_gpu.cpp and test_graphs.cpp: those of tests/cudasim as NVRTC compiled them, which any
// driver runs; and images that no driver takes. A build without NVRTC has PTX as far as the simulated driver
// reads it.
#pragma once

#include <cstring>
#include <vector>

#include "csrc/gpu/images.h"

namespace bindrt::gpu {

inline constexpr char kPtx[] =
    ".version 8.4\n.target sm_75\n"
    ".visible .entry bindrt_example_sum_rows(.param .align 8 .b8 p[24]) {}\n"
    ".visible .entry bindrt_example_histogram(.param .align 8 .b8 p[24]) {}\n";
// In an image, but not compiled for the simulator.
inline constexpr char kUnknownPtx[] =
    ".version 8.4\n.target sm_75\n.address_size 64\n"
    ".visible .entry bindrt_unknown_kernel(.param .align 8 .b8 p[8]) { ret; }\n";
inline constexpr char kNewPtx[] =
    ".version 8.8\n.target sm_80\n.visible .entry bindrt_example_sum_rows(.param .b8 p[24]) {}";
inline constexpr char kNotPtx[] = "not an image";

inline Image image(std::string_view module, const char* text, int architecture) {
  return {module,
          ImageKind::kPtx,
          architecture,
          {reinterpret_cast<const std::byte*>(text), std::strlen(text) + 1}};
}

inline std::vector<Image> all_images() {
  const auto compiled = embedded_kernels().images;
  std::vector<Image> all(compiled.begin(), compiled.end());
  if (all.empty()) {
    all = {image("example", kPtx, 75), image("example", kNewPtx, 80)};
  }
  all.insert(all.end(), {image("unknown", kUnknownPtx, 75), image("broken", kNotPtx, 75),
                         image("future", kUnknownPtx, 130)});
  return all;
}

inline const KernelSet& kernel_set() {
  static const std::vector<Image> images = all_images();
  static const KernelName kernels[] = {{"bindrt_example_sum_rows", "example"},
                                       {"bindrt_example_histogram", "example"},
                                       {"bindrt_unknown_kernel", "unknown"},
                                       {"bindrt_missing", "example"},
                                       {"bindrt_broken", "broken"},
                                       {"bindrt_future", "future"}};
  static const KernelSet all{"by hand", images, kernels};
  return all;
}

}  // namespace bindrt::gpu
