// The kernels that were compiled for the simulator, by name. No standard classes here: the race check
// instruments what a .cu includes, and their functions are shared with the rest of the program.
#pragma once

#include <cstddef>
#include <type_traits>

namespace bindrt::cudasim {

struct Kernel {
  const char* name;
  std::size_t params_bytes;
  void (*call)(const void* params);  // runs one thread of it
};

// Null if there is no kernel of that name.
const Kernel* find_kernel(const char* name);

// Kernel `index` in the order of their names; null from their number on.
const Kernel* kernel_at(std::size_t index);

// std::logic_error if the name is taken.
bool add_kernel(const Kernel& kernel);

template <class Params>
constexpr std::size_t checked_bytes(void (*)(Params)) {
  static_assert(std::is_trivially_copyable_v<Params>, "a kernel's parameters are copied as bytes");
  static_assert(sizeof(Params) <= 4096, "CUDA's limit for parameters");
  return sizeof(Params);
}

template <class Params>
void call_with(void (*kernel)(Params), const void* params) {
  kernel(*static_cast<const Params*>(params));
}

}  // namespace bindrt::cudasim

// Written by the build for each kernel of a .cu.
#define BINDRT_CUDASIM_KERNEL(kernel)                                                \
  [[maybe_unused]] static const bool kernel##_added = ::bindrt::cudasim::add_kernel( \
      {#kernel, ::bindrt::cudasim::checked_bytes(&kernel),                           \
       [](const void* params) { ::bindrt::cudasim::call_with(&kernel, params); }});
