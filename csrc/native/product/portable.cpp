// The products in plain C++: what the other kernels are compared with.
#include <cmath>

#include "csrc/native/product/epilogue.h"
#include "csrc/native/product/kernels.h"

namespace bindrt::native {
namespace {

// The dot product of bf16 pairs reads and writes subnormal numbers as zeros.
float flushed(float value) {
  return (kernels::float_bits(value) & 0x7F800000U) == 0 ? std::copysign(0.0F, value) : value;
}

// Adds the products of one group of inputs, which stand at `a` and, for a column, at `w`.
void add_group(const float* a, const float* w, float& sum) { sum = std::fma(*a, *w, sum); }

void add_group(const std::uint16_t* a, const std::uint16_t* w, float& sum) {
  for (const int k : {1, 0}) {  // in the instruction's order
    sum = flushed(std::fma(flushed(from_bf16(a[k])), flushed(from_bf16(w[k])), sum));
  }
}

void add_group(const std::uint8_t* a, const std::int8_t* w, std::int32_t& sum) {
  for (int k = 0; k < 4; ++k) {
    sum += a[k] * w[k];
  }
}

template <Numbers kNumbers, class Input, class Weight, class Sum>
void run(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows, std::int64_t first,
         std::int64_t last, const Target& target) noexcept {
  constexpr std::int64_t kGroup = group_of(kNumbers);
  const std::int64_t inputs = padded_inputs(kNumbers, weight.inputs);
  for (std::int64_t panel = first; panel < last; ++panel) {
    const Weight* const w = static_cast<const Weight*>(weight.data) + panel * inputs * kPanel;
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto* const a = reinterpret_cast<const Input*>(static_cast<const std::uint8_t*>(rows_in.data) +
                                                           row * rows_in.stride);
      Sum sums[kPanel] = {};
      for (std::int64_t k = 0; k < inputs; k += kGroup) {
        for (std::int64_t n = 0; n < kPanel; ++n) {
          add_group(a + k, w + k * kPanel + n * kGroup, sums[n]);
        }
      }
      finish_row(weight, rows_in, row, panel, sums, target);
    }
  }
}

bool always() noexcept { return true; }
std::int64_t good_rows(std::int64_t /*inputs*/) noexcept { return 64; }

}  // namespace

const ProductKernel kPortableFloat32{"portable", Numbers::kFloat32, &always, &good_rows,
                                     &run<Numbers::kFloat32, float, float, float>};
const ProductKernel kPortableBf16{"portable", Numbers::kBf16, &always, &good_rows,
                                  &run<Numbers::kBf16, std::uint16_t, std::uint16_t, float>};
const ProductKernel kPortableInt8{"portable", Numbers::kInt8, &always, &good_rows,
                                  &run<Numbers::kInt8, std::uint8_t, std::int8_t, std::int32_t>};

}  // namespace bindrt::native
