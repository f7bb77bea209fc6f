// A kernel is tried on this processor before it is used, since some were written where nothing could run
// them, and processors, hypervisors and emulators have errors.
#pragma once

#include <cstdint>
#include <span>

#include "csrc/native/product/product.h"

namespace bindrt::native {

// Whether a kernel that is available gives every number of a small product. Takes under a millisecond.
bool computes_right(const ProductKernel& kernel) noexcept;

struct Choice {
  const ProductKernel* kernel = nullptr;
  std::uint32_t wrong = 0;  // bit i: kernel i is available and was passed over, since it computes wrong
};

// The last of a number type that is available and right; the first, where none is right.
Choice fastest_right(std::span<const ProductKernel> kernels, Numbers numbers) noexcept;

}  // namespace bindrt::native
