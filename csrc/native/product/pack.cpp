// Weights as a bundle stores them to panels.
#include <algorithm>
#include <cstring>

#include "csrc/native/product/product.h"

namespace bindrt::native {

void pack_panel(Stored stored, const void* weight, std::int64_t inputs, std::int64_t outputs,
                std::int64_t panel, Numbers numbers, void* to) noexcept {
  const std::int64_t group = group_of(numbers);
  const std::int64_t columns = std::min(kPanel, outputs - panel * kPanel);
  std::memset(to, 0, static_cast<std::size_t>(padded_inputs(numbers, inputs) * kPanel * bytes_of(numbers)));
  for (std::int64_t k = 0; k < inputs; ++k) {
    const std::int64_t from = k * outputs + panel * kPanel;
    const std::int64_t at = k / group * group * kPanel + k % group;
    for (std::int64_t n = 0; n < columns; ++n) {
      switch (numbers) {
        case Numbers::kFloat32:
          static_cast<float*>(to)[at + n * group] = stored_number(stored, weight, from + n);
          break;
        case Numbers::kBf16:
          static_cast<std::uint16_t*>(to)[at + n * group] = to_bf16(stored_number(stored, weight, from + n));
          break;
        case Numbers::kInt8:
          static_cast<std::int8_t*>(to)[at + n * group] = static_cast<const std::int8_t*>(weight)[from + n];
          break;
      }
    }
  }
}

void column_sums(const std::int8_t* weight, std::int64_t inputs, std::int64_t outputs,
                 std::int32_t* to) noexcept {
  std::fill_n(to, panels_of(outputs) * kPanel, 0);
  for (std::int64_t k = 0; k < inputs; ++k) {
    for (std::int64_t n = 0; n < outputs; ++n) {
      to[n] += 128 * weight[k * outputs + n];
    }
  }
}

}  // namespace bindrt::native
