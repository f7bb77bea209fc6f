// The kernels that a program was linked with, by name.
#include "tests/cudasim/registry.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bindrt::cudasim {
namespace {

std::vector<Kernel>& kernels() {  // sorted by name
  static std::vector<Kernel> all;
  return all;
}

std::vector<Kernel>::iterator place_of(std::string_view name) {
  return std::lower_bound(kernels().begin(), kernels().end(), name,
                          [](const Kernel& kernel, std::string_view wanted) { return kernel.name < wanted; });
}

}  // namespace

const Kernel* find_kernel(const char* name) {
  const auto place = place_of(name);
  return place == kernels().end() || std::string_view(place->name) != name ? nullptr : &*place;
}

const Kernel* kernel_at(std::size_t index) { return index < kernels().size() ? &kernels()[index] : nullptr; }

bool add_kernel(const Kernel& kernel) {
  if (find_kernel(kernel.name) != nullptr) {
    throw std::logic_error(std::string("two kernels are called ") + kernel.name);
  }
  kernels().insert(place_of(kernel.name), kernel);
  return true;
}

}  // namespace bindrt::cudasim
