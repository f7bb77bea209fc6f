// What a driver reads from an image of compiled kernels: for which devices it is and what each kernel takes.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace bindrt::cudasim::driver {

struct KernelFacts {
  int registers = 0;            // 0 where the image does not say: text, before it is compiled
  std::size_t shared = 0;       // bytes of static shared memory
  std::size_t params = 0;       // bytes; 0 if not said
  unsigned max_threads = 1024;  // of a block: __launch_bounds__
};

struct Image {
  int architecture = 0;  // 89 is sm_89
  int ptx_version = 0;   // 88 is 8.8; 0 for machine code
  std::map<std::string, KernelFacts> kernels;
};

// An image in memory, whose length is not given, as the driver gets it. std::invalid_argument if it is no
// cubin of CUDA 12 and no PTX.
Image read_image(const void* image);

}  // namespace bindrt::cudasim::driver
