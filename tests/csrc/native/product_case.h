// A product for tests: random activations and weights, outputs of any kernel, and what float64 says of them.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <string_view>
#include <vector>

#include "csrc/native/product/product.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bindrt::testing {

// Bytes aligned to 64 whose end is an allocation's end, so that a sanitizer sees what reads or writes beyond.
class Aligned {
 public:
  explicit Aligned(std::int64_t count)
      : size_(static_cast<std::size_t>(count)),
        memory_(static_cast<std::uint8_t*>(::operator new(size_, kAlignment))) {
    std::memset(memory_.get(), kFilling, size_);
  }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(memory_.get());
  }
  std::size_t size() const { return size_; }
  bool operator==(const Aligned& other) const {
    return size_ == other.size_ && std::memcmp(memory_.get(), other.memory_.get(), size_) == 0;
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  static constexpr int kFilling = 0x3B;  // finite in every number type
  struct Free {
    void operator()(std::uint8_t* memory) const { ::operator delete(memory, kAlignment); }
  };
  std::size_t size_;
  std::unique_ptr<std::uint8_t, Free> memory_;
};

struct ProductShape {
  native::Numbers numbers = native::Numbers::kFloat32;
  std::int64_t inputs = 1;
  std::int64_t outputs = 1;
  std::int64_t rows = 1;
  bool bias = true;
  int largest_weight = 127;  // int8
  float weight_size = 1.0F;  // the others
};

// Whether a kernel sums bf16 otherwise than the portable one: matrix units take another order, and makers may
// differ in how the dot product of pairs rounds; AMD's is as the portable one.
inline bool sums_otherwise(const native::ProductKernel& kernel) {
  const std::string_view name = kernel.name;
#if defined(__x86_64__)
  unsigned int a = 0, b = 0, c = 0, d = 0;
  if (name == "avx512_bf16" && __get_cpuid(0, &a, &b, &c, &d) != 0) {
    return c != signature_AMD_ecx;
  }
#endif
  return name == "amx_bf16" || name == "neon_bf16";
}

class Product {
 public:
  Product(const ProductShape& shape, std::uint32_t seed) : shape_(shape), random_(seed) {
    make_weight();
    make_rows();
  }

  const ProductShape& shape() const { return shape_; }
  const char* weights() const { return packed_->as<const char>(); }  // packed
  std::int64_t panels() const { return native::panels_of(shape_.outputs); }

  // What a target holds before a product: `stride` is `outputs` and `gap` more, the last row has no gap.
  Aligned target(bool bf16, std::int64_t gap) const {
    const std::int64_t count = (shape_.rows - 1) * (shape_.outputs + gap) + shape_.outputs;
    return Aligned(count * (bf16 ? 2 : 4));
  }

  // Rows [row, row + rows) times panels [first, last) into a target of all rows.
  void run(const native::ProductKernel& kernel, native::After after, bool bf16, std::int64_t gap, Aligned& to,
           std::int64_t row, std::int64_t rows, std::int64_t first, std::int64_t last) const {
    const std::int64_t stride = shape_.outputs + gap;
    const native::Activations from{activations_->as<std::uint8_t>() + row * stride_, stride_,
                                   steps_.empty() ? nullptr : steps_.data() + row};
    void* const data = to.as<std::uint8_t>() + row * stride * (bf16 ? 2 : 4);
    kernel.run(weight_, from, rows, first, last, {data, stride, bf16, after});
  }

  Aligned outputs(const native::ProductKernel& kernel, native::After after = native::After::kStore,
                  bool bf16 = false, std::int64_t gap = 0) const {
    Aligned to = target(bf16, gap);
    run(kernel, after, bf16, gap, to, 0, shape_.rows, 0, panels());
    return to;
  }

  // An output by float64, and how far another way to round may be from it.
  struct Exact {
    double value;
    double bound;
  };
  Exact exact(std::int64_t row, std::int64_t column, native::After after, double before) const {
    double sum = 0, size = 0;
    for (std::int64_t k = 0; k < shape_.inputs; ++k) {
      const double product = activation(row, k) * weight(k, column);
      sum += product;
      size += std::fabs(product);
    }
    const bool whole = shape_.numbers == native::Numbers::kInt8;
    if (whole) {
      const double factor = static_cast<double>(scale_[static_cast<std::size_t>(column)]) *
                            static_cast<double>(steps_[static_cast<std::size_t>(row)]);
      sum *= factor;
      size = std::fabs(sum);
    }
    const double bias = shape_.bias ? static_cast<double>(bias_[static_cast<std::size_t>(column)]) : 0.0;
    double value = sum + bias;
    double bound = kUlp * ((whole ? 4.0 : static_cast<double>(shape_.inputs) + 2) * size + std::fabs(bias) +
                           2 * std::fabs(value)) +
                   smallest();
    if (after == native::After::kGelu) {
      bound = 1.2 * bound + 2.2 * kUlp * std::fabs(value);
      value = 0.5 * value * (1 + std::erf(value / std::sqrt(2.0)));
    } else if (after == native::After::kAdd) {
      value += before;
      bound += kUlp * (std::fabs(before) + std::fabs(value));
    }
    return {value, bound};
  }

 private:
  static constexpr double kUlp = 0x1p-24;  // half of one, of a number of 1

  // What subnormal numbers may add up to: with bf16 some kernels take and give zeros for weights, products
  // and sums below 2^-126, where activations are up to 2.
  double smallest() const {
    return shape_.numbers == native::Numbers::kBf16 ? static_cast<double>(shape_.inputs) * 0x1p-124 : 1e-37;
  }

  double activation(std::int64_t row, std::int64_t k) const {
    const std::uint8_t* const from = activations_->as<std::uint8_t>() + row * stride_;
    switch (shape_.numbers) {
      case native::Numbers::kFloat32:
        return static_cast<double>(reinterpret_cast<const float*>(from)[k]);
      case native::Numbers::kBf16:
        return static_cast<double>(native::from_bf16(reinterpret_cast<const std::uint16_t*>(from)[k]));
      case native::Numbers::kInt8:
        break;
    }
    return from[k] - 128;
  }

  double weight(std::int64_t k, std::int64_t column) const {
    const std::size_t at = static_cast<std::size_t>(k * shape_.outputs + column);
    if (shape_.numbers == native::Numbers::kInt8) {
      return whole_weights_[at];
    }
    const float value = weights_[at];
    return static_cast<double>(
        shape_.numbers == native::Numbers::kBf16 ? native::from_bf16(native::to_bf16(value)) : value);
  }

  std::vector<float> floats(std::int64_t count, float low, float high) {
    std::uniform_real_distribution<float> numbers(low, high);
    std::vector<float> made(static_cast<std::size_t>(count));
    for (float& one : made) {
      one = numbers(random_);
    }
    return made;
  }

  void make_weight() {
    const native::Numbers numbers = shape_.numbers;
    const std::int64_t count = shape_.inputs * shape_.outputs;
    const std::int64_t columns = panels() * native::kPanel;
    const bool whole = numbers == native::Numbers::kInt8;
    if (whole) {
      std::uniform_int_distribution<int> all(-shape_.largest_weight, shape_.largest_weight);
      for (std::int64_t i = 0; i < count; ++i) {  // often the largest, so that sums come near their ends
        const int value = random_() % 4 == 0 ? shape_.largest_weight : all(random_);
        whole_weights_.push_back(static_cast<std::int8_t>(value));
      }
      scale_ = floats(columns, 0.001F, 0.02F);
      sums_.resize(static_cast<std::size_t>(columns));
      native::column_sums(whole_weights_.data(), shape_.inputs, shape_.outputs, sums_.data());
    } else {
      weights_ = floats(count, -shape_.weight_size, shape_.weight_size);
    }
    bias_ = floats(columns, -1.0F, 1.0F);
    const std::int64_t bytes = native::packed_bytes(numbers, shape_.inputs, shape_.outputs);
    packed_ = std::make_unique<Aligned>(bytes);
    const void* const from = whole ? static_cast<const void*>(whole_weights_.data()) : weights_.data();
    for (std::int64_t panel = 0; panel < panels(); ++panel) {
      native::pack_panel(whole ? native::Stored::kInt8 : native::Stored::kFloat32, from, shape_.inputs,
                         shape_.outputs, panel, numbers,
                         packed_->as<std::uint8_t>() + panel * (bytes / panels()));
    }
    weight_ = {numbers,
               shape_.inputs,
               shape_.outputs,
               packed_->as<void>(),
               shape_.bias ? bias_.data() : nullptr,
               whole ? scale_.data() : nullptr,
               whole ? sums_.data() : nullptr};
  }

  void make_rows() {
    const native::Numbers numbers = shape_.numbers;
    const std::int64_t row_bytes = native::padded_inputs(numbers, shape_.inputs) * native::bytes_of(numbers);
    stride_ = (row_bytes + 63) / 64 * 64 + static_cast<std::int64_t>(random_() % 2) * 64;
    activations_ = std::make_unique<Aligned>((shape_.rows - 1) * stride_ + row_bytes);
    for (std::int64_t row = 0; row < shape_.rows; ++row) {
      std::uint8_t* const to = activations_->as<std::uint8_t>() + row * stride_;
      for (std::int64_t k = 0; k < shape_.inputs; ++k) {
        if (numbers == native::Numbers::kInt8) {
          to[k] = static_cast<std::uint8_t>(random_() % 4 == 0 ? 255 : random_() % 256);
          continue;
        }
        const float value = std::uniform_real_distribution<float>(-2.0F, 2.0F)(random_);
        if (numbers == native::Numbers::kBf16) {
          reinterpret_cast<std::uint16_t*>(to)[k] = native::to_bf16(value);
        } else {
          reinterpret_cast<float*>(to)[k] = value;
        }
      }
    }
    if (numbers == native::Numbers::kInt8) {
      steps_ = floats(shape_.rows, 0.001F, 0.02F);
    }
  }

  ProductShape shape_;
  std::mt19937 random_;
  std::vector<float> weights_;
  std::vector<std::int8_t> whole_weights_;
  std::vector<float> bias_, scale_, steps_;
  std::vector<std::int32_t> sums_;
  std::unique_ptr<Aligned> packed_, activations_;
  native::PackedWeight weight_;
  std::int64_t stride_ = 0;
};

}  // namespace bindrt::testing
