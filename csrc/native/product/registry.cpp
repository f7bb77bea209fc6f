// Which product kernel computes.
#include <atomic>
#include <cstddef>
#include <string_view>

#include "csrc/native/product/kernels.h"
#include "csrc/native/product/self_test.h"

namespace bindrt::native {
namespace {

constexpr std::size_t kNumberTypes = 3;

// By number type, the portable one first, then in the order of their speed.
std::span<const ProductKernel> table() noexcept {
  static const ProductKernel kTable[] = {
      kPortableFloat32, kPortableBf16, kPortableInt8,
#if defined(__x86_64__)
      kAvx2Float32,     kAvx2Bf16,     kAvx2Int8,        kAvxVnniInt8,
      kAvx512Float32,   kAvx512Bf16,   kAvx512Bf16Pairs, kAvx512VnniInt8,
#endif
#if defined(__x86_64__) && defined(__linux__)
      kAmxBf16,         kAmxInt8,
#endif
#if defined(__aarch64__)
      kNeonFloat32,     kNeonBf16,
#endif
#if defined(__aarch64__) && defined(__linux__)
      kNeonMatrixBf16,  kNeonDotInt8,  kNeonI8mmInt8,
#endif
  };
  return kTable;
}

// Tried once in a process.
const Choice& choice(Numbers numbers) noexcept {
  static const Choice kChoices[kNumberTypes] = {fastest_right(table(), Numbers::kFloat32),
                                                fastest_right(table(), Numbers::kBf16),
                                                fastest_right(table(), Numbers::kInt8)};
  return kChoices[static_cast<std::size_t>(numbers)];
}

const ProductKernel& fastest(Numbers numbers) noexcept { return *choice(numbers).kernel; }

std::atomic<const ProductKernel*>& in_use(Numbers numbers) noexcept {
  static std::atomic<const ProductKernel*> chosen[kNumberTypes] = {
      &fastest(Numbers::kFloat32), &fastest(Numbers::kBf16), &fastest(Numbers::kInt8)};
  return chosen[static_cast<std::size_t>(numbers)];
}

}  // namespace

std::span<const ProductKernel> product_kernels() noexcept { return table(); }

const ProductKernel& product_kernel(Numbers numbers) noexcept {
  return *in_use(numbers).load(std::memory_order_relaxed);
}

bool is_wrong(const ProductKernel& kernel) noexcept {
  const std::ptrdiff_t i = &kernel - table().data();
  return (choice(kernel.numbers).wrong >> i & 1U) != 0;
}

bool limit_product_kernel(Numbers numbers, const char* name) noexcept {
  const std::string_view wanted = name;
  if (wanted.empty()) {
    in_use(numbers) = &fastest(numbers);
    return true;
  }
  for (const ProductKernel& kernel : table()) {
    if (kernel.numbers == numbers && kernel.name == wanted && kernel.available()) {
      in_use(numbers) = &kernel;
      return true;
    }
  }
  return false;
}

}  // namespace bindrt::native
