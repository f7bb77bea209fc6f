// Kernels for test_gpu.cpp: those of tests/cudasim, in images of PTX as far as a driver reads it that does
// not compile.
#pragma once

#include <cstring>

#include "csrc/gpu/images.h"

namespace bindrt::gpu {

inline constexpr char kPtx[] =
    ".version 8.4\n.target sm_75\n"
    ".visible .entry bindrt_example_sum_rows(.param .align 8 .b8 p[24]) {}\n"
    ".visible .entry bindrt_example_histogram(.param .align 8 .b8 p[24]) {}\n"
    ".visible .entry bindrt_unknown_kernel(.param .align 8 .b8 p[8]) {}\n";
inline constexpr char kNewPtx[] =
    ".version 8.8\n.target sm_80\n.visible .entry bindrt_example_sum_rows(.param .b8 p[24]) {}";
inline constexpr char kNotPtx[] = "not an image";

inline Image image(std::string_view module, const char* text, int architecture) {
  return {module,
          ImageKind::kPtx,
          architecture,
          {reinterpret_cast<const std::byte*>(text), std::strlen(text) + 1}};
}

inline const KernelSet& kernel_set() {
  static const Image images[] = {image("example", kPtx, 75), image("example", kNewPtx, 80),
                                 image("broken", kNotPtx, 75), image("future", kPtx, 130)};
  static const KernelName kernels[] = {{"bindrt_example_sum_rows", "example"},
                                       {"bindrt_example_histogram", "example"},
                                       {"bindrt_unknown_kernel", "example"},
                                       {"bindrt_missing", "example"},
                                       {"bindrt_broken", "broken"},
                                       {"bindrt_future", "future"}};
  static const KernelSet all{"by hand", images, kernels};
  return all;
}

}  // namespace bindrt::gpu
