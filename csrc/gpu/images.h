// Compiled kernels as bytes, and which of them a device runs. tools/compile_kernels.py makes those that the
// module carries.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bindrt::gpu {

enum class ImageKind { kCubin, kPtx };  // machine code; text that the driver compiles, which ends with a zero

// One source file compiled for one architecture.
struct Image {
  std::string_view module;  // "pool": the source's name
  ImageKind kind;
  int architecture;  // 89 is sm_89 or compute_89
  std::span<const std::byte> bytes;
};

struct KernelName {
  std::string_view kernel;  // "bindrt_pool_mean"
  std::string_view module;
};

struct KernelSet {
  std::string_view compiler;  // "NVRTC 12.9"; empty where the build had none
  std::span<const Image> images;
  std::span<const KernelName> kernels;
};

// The kernels of this build; empty where it had no compiler for them.
const KernelSet& embedded_kernels();

// "sm_89" or "compute_100"
std::string target_text(const Image& image);

// Whether a device of that capability can run the image. Machine code runs on its own major version from
// its minor version on; that of boards with an integrated GPU (8.7, 10.1) only on those, and such boards
// run no other. PTX is compiled for whatever is not older.
bool runs_on(const Image& image, int capability);

// The images of a module that the device runs, best first: the newest machine code, then the newest PTX.
std::vector<const Image*> candidates(const KernelSet& kernels, std::string_view module, int capability);

}  // namespace bindrt::gpu
