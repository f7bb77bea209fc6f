// A product of small whole numbers: every order of its sums gives the same float32, so a kernel is right or
// wrong without a tolerance.
#include "csrc/native/product/self_test.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <new>

namespace bindrt::native {
namespace {

// Not whole groups, rows of tiles or vectors: what stands behind the last ones must not count. Two panels,
// the second of which is less than half.
constexpr std::int64_t kOutputs = kPanel + 17;
constexpr std::int64_t kMostRows = 67;
constexpr std::int64_t kRowCounts[] = {10, kMostRows};  // on tiles: one, then pairs, then three that overlap

constexpr std::int64_t inputs_of(Numbers numbers) { return numbers == Numbers::kInt8 ? 131 : 67; }
constexpr std::int64_t stride_of(Numbers numbers) {
  return (padded_inputs(numbers, inputs_of(numbers)) * bytes_of(numbers) + 63) / 64 * 64;
}

constexpr int activation(std::int64_t row, std::int64_t k) {
  return static_cast<int>((row * 41 + k * 23 + row * k) % 255) - 127;
}
// The second panel's are as small as some kernels have a quicker way for.
constexpr int weight(std::int64_t k, std::int64_t n) {
  const int most = n < kPanel ? 127 : 63;
  return static_cast<int>((k * 37 + n * 11 + k * n) % (2 * most + 1)) - most;
}

constexpr std::int64_t kMostStride = stride_of(Numbers::kFloat32);
constexpr std::int64_t kMostInputs = inputs_of(Numbers::kInt8);
constexpr std::int64_t kMostPacked = packed_bytes(Numbers::kFloat32, inputs_of(Numbers::kFloat32), kOutputs);
static_assert(kMostStride >= stride_of(Numbers::kInt8) && kMostStride >= stride_of(Numbers::kBf16));
static_assert(kMostPacked >= packed_bytes(Numbers::kInt8, inputs_of(Numbers::kInt8), kOutputs));
static_assert(kMostPacked >= packed_bytes(Numbers::kBf16, inputs_of(Numbers::kBf16), kOutputs));
static_assert(127 * 127 * kMostInputs + kOutputs < 1 << 24);  // exact in float32

class Trial {
 public:
  explicit Trial(Numbers numbers) : numbers_(numbers), inputs_(inputs_of(numbers)) {
    make_weight();
    make_rows();
  }

  bool right(const ProductKernel& kernel) {
    for (const std::int64_t rows : kRowCounts) {
      std::fill_n(outputs_, rows * kOutputs, std::numeric_limits<float>::quiet_NaN());
      const Activations from{activations_, stride_of(numbers_), steps_};
      kernel.run(weight_, from, rows, 0, panels_of(kOutputs), {outputs_, kOutputs, false, After::kStore});
      for (std::int64_t i = 0; i < rows * kOutputs; ++i) {
        if (outputs_[i] != expected_[i]) {
          return false;
        }
      }
    }
    return true;
  }

 private:
  void make_weight() {
    for (std::int64_t k = 0; k < inputs_; ++k) {
      for (std::int64_t n = 0; n < kOutputs; ++n) {
        floats_[k * kOutputs + n] = static_cast<float>(weight(k, n));
        bytes_[k * kOutputs + n] = static_cast<std::int8_t>(weight(k, n));
      }
    }
    const bool whole = numbers_ == Numbers::kInt8;
    const std::int64_t panel_bytes = packed_bytes(numbers_, inputs_, kPanel);
    for (std::int64_t panel = 0; panel < panels_of(kOutputs); ++panel) {
      const void* const from = whole ? static_cast<const void*>(bytes_) : floats_;
      pack_panel(whole ? Stored::kInt8 : Stored::kFloat32, from, inputs_, kOutputs, panel, numbers_,
                 packed_ + panel * panel_bytes);
    }
    for (std::int64_t n = 0; n < kOutputs; ++n) {
      bias_[n] = static_cast<float>(n);
      scale_[n] = 0.5F;
    }
    column_sums(bytes_, inputs_, kOutputs, sums_);
    weight_ = {numbers_, inputs_, kOutputs, packed_, bias_, scale_, sums_};
  }

  void make_rows() {
    for (std::int64_t row = 0; row < kMostRows; ++row) {
      steps_[row] = 2.0F;
      std::int32_t sums[kOutputs];
      for (std::int64_t n = 0; n < kOutputs; ++n) {
        sums[n] = static_cast<std::int32_t>(n);  // the bias
      }
      for (std::int64_t k = 0; k < inputs_; ++k) {
        const std::int32_t value = activation(row, k);
        put(row, k, value);
        for (std::int64_t n = 0; n < kOutputs; ++n) {
          sums[n] += value * bytes_[k * kOutputs + n];
        }
      }
      for (std::int64_t n = 0; n < kOutputs; ++n) {
        expected_[row * kOutputs + n] = static_cast<float>(sums[n]);
      }
    }
  }

  void put(std::int64_t row, std::int64_t k, std::int32_t value) {
    std::uint8_t* const to = activations_ + row * stride_of(numbers_);
    switch (numbers_) {
      case Numbers::kFloat32:
        reinterpret_cast<float*>(to)[k] = static_cast<float>(value);
        break;
      case Numbers::kBf16:
        reinterpret_cast<std::uint16_t*>(to)[k] = to_bf16(static_cast<float>(value));
        break;
      case Numbers::kInt8:
        to[k] = static_cast<std::uint8_t>(value + 128);
        break;
    }
  }

  Numbers numbers_;
  std::int64_t inputs_;
  PackedWeight weight_;
  alignas(64) std::uint8_t packed_[kMostPacked];
  alignas(64) std::uint8_t activations_[kMostRows * kMostStride] = {};
  float floats_[kMostInputs * kOutputs];
  std::int8_t bytes_[kMostInputs * kOutputs];
  float bias_[panels_of(kOutputs) * kPanel] = {};
  float scale_[panels_of(kOutputs) * kPanel] = {};
  std::int32_t sums_[panels_of(kOutputs) * kPanel] = {};
  float steps_[kMostRows];
  float outputs_[kMostRows * kOutputs];
  float expected_[kMostRows * kOutputs];
};

}  // namespace

bool computes_right(const ProductKernel& kernel) noexcept {
  const std::unique_ptr<Trial> trial(new (std::nothrow) Trial(kernel.numbers));
  return trial != nullptr && trial->right(kernel);
}

Choice fastest_right(std::span<const ProductKernel> kernels, Numbers numbers) noexcept {
  Choice choice;
  for (std::size_t i = kernels.size(); i-- > 0;) {
    const ProductKernel& kernel = kernels[i];
    if (kernel.numbers != numbers || !kernel.available()) {
      continue;
    }
    choice.kernel = &kernel;
    if (computes_right(kernel)) {
      break;
    }
    choice.wrong |= std::uint32_t{1} << i;
  }
  return choice;
}

}  // namespace bindrt::native
