// The simulated driver's functions about modules and kernels. An image is only read, for what it says of its
// kernels; what runs is the kernel of that name that was compiled for the simulator.
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "tests/cudasim/driver/state.h"
#include "tests/cudasim/failure.h"
#include "tests/cudasim/scheduler.h"

namespace bindrt::cudasim::driver {
namespace {

constexpr std::size_t kSharedOfBlock = std::size_t{48} << 10;
constexpr unsigned kRegistersOfBlock = 65536;

void write_log(const char* message, unsigned count, const int* options, void** values) {
  char* log = nullptr;
  std::size_t bytes = 0;
  for (unsigned index = 0; index < count; ++index) {
    if (options[index] == cu::kJitErrorLog) {
      log = static_cast<char*>(values[index]);
    } else if (options[index] == cu::kJitErrorLogBytes) {
      bytes = reinterpret_cast<std::size_t>(values[index]);
    }
  }
  if (log != nullptr && bytes > 0) {
    std::snprintf(log, bytes, "%s", message);
  }
}

// PTX suits every later device; machine code those of its major version from its own on, but for boards.
void check_device(const Image& image, const Machine& machine) {
  if (image.ptx_version == 0 && !machine.cubins) {
    throw Refusal{cu::kInvalidImage};
  }
  if (image.ptx_version > machine.ptx) {
    throw Refusal{cu::kUnsupportedPtxVersion};
  }
  const int device = machine.capability;
  const bool board = device == 87 || image.architecture == 87;
  const bool later = device >= image.architecture;
  const bool same_major = device / 10 == image.architecture / 10;
  const bool fits = image.ptx_version > 0 ? later
                    : board               ? device == image.architecture
                                          : later && same_major;
  if (!fits) {
    throw Refusal{cu::kNoBinaryForGpu};
  }
}

void check_shape(const FunctionState& function, const kernels::LaunchShape& shape) {
  const std::uint64_t threads = std::uint64_t{shape.block_x} * shape.block_y * shape.block_z;
  const std::uint64_t blocks = std::uint64_t{shape.grid_x} * shape.grid_y * shape.grid_z;
  if (threads == 0 || blocks == 0 || threads > 1024 || shape.block_z > 64 || shape.grid_y > 65535 ||
      shape.grid_z > 65535 || shape.grid_x > 0x7FFFFFFF || threads > function.facts.max_threads ||
      shape.shared_bytes > function.dynamic_shared) {
    throw Refusal{kInvalidValue};
  }
  // Registers are given to warps in units of 256.
  const std::uint64_t warps = (threads + 31) / 32;
  const auto of_warp = static_cast<std::uint64_t>((function.facts.registers * 32 + 255) / 256 * 256);
  if (warps * of_warp > kRegistersOfBlock) {
    throw Refusal{kOutOfResources};
  }
}

}  // namespace
}  // namespace bindrt::cudasim::driver

using namespace bindrt::cudasim::driver;
using bindrt::cudasim::check_all_guards;
using bindrt::cudasim::find_kernel;
using bindrt::cudasim::Kernel;
using bindrt::cudasim::run_launch;

BINDRT_DRIVER_API cu::Result cuModuleLoadDataEx(cu::Module* module, const void* bytes, unsigned count,
                                                int* options, void** values) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    state.refuse_in_capture();
    Image image;
    try {
      image = read_image(bytes);
    } catch (const std::invalid_argument& error) {
      write_log(error.what(), count, options, values);
      throw Refusal{cu::kInvalidImage};
    }
    check_device(image, state.machine);
    auto made = std::make_unique<ModuleState>(ModuleState{&context, std::move(image)});
    *module = reinterpret_cast<cu::Module>(made.get());
    state.modules.emplace(made.get(), std::move(made));
  });
}

BINDRT_DRIVER_API cu::Result cuModuleUnload(cu::Module module) {
  return guarded([&](State& state) {
    object(state.modules, module, state.current());
    state.modules.erase(module);
  });
}

BINDRT_DRIVER_API cu::Result cuModuleGetFunction(cu::Function* function, cu::Module module,
                                                 const char* name) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    const Image& image = object(state.modules, module, context).image;
    const auto facts = image.kernels.find(name);
    if (facts == image.kernels.end()) {
      throw Refusal{cu::kNotFound};
    }
    const Kernel* const kernel = find_kernel(name);
    if (kernel == nullptr) {
      std::fprintf(stderr, "cudasim: %s is in the image, but was not compiled for the simulator\n", name);
      throw Refusal{cu::kNotFound};
    }
    if (facts->second.params != 0 && facts->second.params != kernel->params_bytes) {
      std::fprintf(stderr, "cudasim: %s takes %zu bytes of parameters in the image, %zu in the simulator\n",
                   name, facts->second.params, kernel->params_bytes);
      throw Refusal{cu::kInvalidImage};
    }
    const std::size_t room =
        facts->second.shared < kSharedOfBlock ? kSharedOfBlock - facts->second.shared : 0;
    auto made = std::make_unique<FunctionState>(FunctionState{&context, kernel, facts->second, room});
    *function = reinterpret_cast<cu::Function>(made.get());
    state.functions.emplace(made.get(), std::move(made));
  });
}

BINDRT_DRIVER_API cu::Result cuFuncGetAttribute(int* value, int which, cu::Function function) {
  return guarded([&](State& state) {
    const FunctionState& found = object(state.functions, function, state.current());
    switch (which) {
      case cu::kFunctionStaticShared:
        *value = static_cast<int>(found.facts.shared);
        return;
      case cu::kFunctionRegisters:
        *value = found.facts.registers;
        return;
      default:
        throw Refusal{kInvalidValue};
    }
  });
}

BINDRT_DRIVER_API cu::Result cuFuncGetParamInfo(cu::Function function, std::size_t index, std::size_t* offset,
                                                std::size_t* bytes) {
  return guarded([&](State& state) {
    const FunctionState& found = object(state.functions, function, state.current());
    if (index != 0) {
      throw Refusal{kInvalidValue};
    }
    *offset = 0;
    *bytes = found.kernel->params_bytes;
  });
}

BINDRT_DRIVER_API cu::Result cuLaunchKernel(cu::Function function, unsigned grid_x, unsigned grid_y,
                                            unsigned grid_z, unsigned block_x, unsigned block_y,
                                            unsigned block_z, unsigned shared_bytes, cu::Stream stream,
                                            void** params, void** extra) {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    const FunctionState& found = object(state.functions, function, context);
    const bindrt::kernels::LaunchShape shape{grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes};
    check_shape(found, shape);
    if (params == nullptr || extra != nullptr) {
      throw Refusal{kInvalidValue};
    }
    const auto* const begin = static_cast<const std::byte*>(params[0]);
    state.push(stream, {[kernel = found.kernel, shape,
                         copy = std::vector<std::byte>(begin, begin + found.kernel->params_bytes)] {
                          run_launch(*kernel, shape, copy.data());
                          check_all_guards();
                        },
                        nullptr, nullptr});
  });
}
