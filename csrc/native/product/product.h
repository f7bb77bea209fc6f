// A linear layer in one pass: rows times a packed weight, then bias, then what follows it.
//
// The arithmetic is fixed, so that levels can be compared and no result depends on neighbours or threads:
// an output is one sum over the inputs in their order (int8: exact), in float32 with fused multiply-adds.
//   float32:  sum = fma(a[k], w[k], sum)                      for k = 0, 1, 2, …
//   bf16:     as the processors' dot product of pairs: rounding within a pair differs between makers, within
//             the tolerance that tests state
//   int8:     sum = Σ (u[k] − 128) · w[k], exact; y = (float(sum) · scale[n]) · step[m]
//   then      y = y + bias[n];  kGelu: y = y · ½ · (1 + erf(y/√2));  stored, or added to what is there
#pragma once

#include <cstdint>
#include <span>

#include "csrc/native/numbers.h"

namespace bindrt::native {

// Columns that stand together in a packed weight. One layout for every instruction set, so that a file of
// packed weights serves every machine.
inline constexpr std::int64_t kPanel = 64;

// Inputs of one column that stand together: what one lane of a dot-product instruction takes.
constexpr std::int64_t group_of(Numbers numbers) {
  return numbers == Numbers::kFloat32 ? 1 : numbers == Numbers::kBf16 ? 2 : 4;
}

// Inputs are padded with zeros to whole groups and whole rows of a matrix tile (64 bytes).
constexpr std::int64_t padded_inputs(Numbers numbers, std::int64_t inputs) {
  const std::int64_t multiple = numbers == Numbers::kFloat32 ? 1 : 64 / bytes_of(numbers);
  return (inputs + multiple - 1) / multiple * multiple;
}

constexpr std::int64_t panels_of(std::int64_t outputs) { return (outputs + kPanel - 1) / kPanel; }

constexpr std::int64_t packed_bytes(Numbers numbers, std::int64_t inputs, std::int64_t outputs) {
  return padded_inputs(numbers, inputs) * panels_of(outputs) * kPanel * bytes_of(numbers);
}

// A weight [inputs, outputs] in panels: data[panel][input / group][column of the panel][input % group].
struct PackedWeight {
  Numbers numbers = Numbers::kFloat32;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  const void* data = nullptr;  // aligned to 64 bytes
  // Each has panels_of(outputs) · kPanel numbers, zeros behind the last column; null where it has none.
  const float* bias = nullptr;
  const float* scale = nullptr;        // int8: a column's factor
  const std::int32_t* sums = nullptr;  // int8: 128 · Σ w of a column, what the activations' zero adds
};

// Packs columns of `panel` from a weight [inputs, outputs] as a bundle stores it, row after row, into
// `to`, which has packed_bytes / panels bytes. int8 comes from int8 only, the others from any float type.
void pack_panel(Stored stored, const void* weight, std::int64_t inputs, std::int64_t outputs,
                std::int64_t panel, Numbers numbers, void* to) noexcept;
// The columns' sums of PackedWeight; `to` has panels · kPanel numbers.
void column_sums(const std::int8_t* weight, std::int64_t inputs, std::int64_t outputs,
                 std::int32_t* to) noexcept;

// Rows of activations of the weight's number type; int8 as unsigned bytes around 128. A row has
// padded_inputs numbers, what stands behind `inputs` is finite (bf16) or any byte, since weights are zero
// there.
struct Activations {
  const void* data = nullptr;
  std::int64_t stride = 0;       // bytes from row to row, a multiple of 64
  const float* steps = nullptr;  // int8: a row's factor
};

enum class After : std::int32_t { kStore = 0, kGelu = 1, kAdd = 2 };

// Where outputs go: [rows, stride] of float32, or bf16 (not with kAdd). Columns behind `outputs` are not
// written.
struct Target {
  void* data = nullptr;
  std::int64_t stride = 0;  // numbers from row to row
  bool bf16 = false;
  After after = After::kStore;
};

// The product of one instruction set.
struct ProductKernel {
  const char* name;  // "portable", "avx2", "avx512_vnni", "amx_int8", …
  Numbers numbers;
  bool (*available)() noexcept;  // on this processor, under its operating system
  // Rows that a caller should give at once for its caches, of a weight with so many inputs.
  std::int64_t (*good_rows)(std::int64_t inputs) noexcept;
  // Computes `rows` rows times panels [first, last). Parts may run on several threads at once.
  void (*run)(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows, std::int64_t first,
              std::int64_t last, const Target& target) noexcept;
  // Panels that a caller should give at once where it has enough: the first is waited for, while it is
  // computed the next is fetched.
  std::int64_t good_panels = 1;
};

// Every kernel of this build, the portable one of a number type first, the fastest last.
std::span<const ProductKernel> product_kernels() noexcept;
// The fastest that runs here and computes right (self_test.h); tests choose others by name
// (limit_product_kernel, process-wide, "" for no limit).
const ProductKernel& product_kernel(Numbers numbers) noexcept;
// Whether a kernel of product_kernels() was passed over, since it computes wrong on this processor.
bool is_wrong(const ProductKernel& kernel) noexcept;
bool limit_product_kernel(Numbers numbers, const char* name) noexcept;  // false: not here

}  // namespace bindrt::native
