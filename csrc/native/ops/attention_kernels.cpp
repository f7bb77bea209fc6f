// Chooses how attention is computed.
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "csrc/native/numbers.h"
#include "csrc/native/ops/attention.h"
#include "csrc/native/ops/attention_kernel.h"
#include "kernels/base/dispatch.h"

#if defined(__x86_64__)
#include "csrc/native/product/x86.h"
#endif

namespace bindrt::native {
namespace {

bool always() noexcept { return true; }

#if defined(__x86_64__)
bool has_pairs() noexcept { return has_avx512() && has({"avx512bf16"}); }
#endif

std::span<const AttentionKernel> table() noexcept {
#if defined(__x86_64__)
  static const AttentionKernel kTable[] = {
      {"avx512_bf16", Units::kPairs, &few_rows_avx512_bf16, kVectorAttention, &has_pairs},
#if defined(__linux__)
      kAmxAttention,
#endif
  };
  return kTable;
#elif defined(__aarch64__) && defined(__linux__)
  return {&kNeonAttention, 1};
#else
  return {};
#endif
}

// Attention of one head over made-up numbers: more queries than a block of tiles, none of the counts whole.
class Trial {
 public:
  Trial() {
    std::uint32_t state = 1;
    for (std::int64_t i = 0; i < kNumbers; ++i) {  // queries are small, as an encoder scales them
      state = state * 1664525U + 1013904223U;
      const float size = numbers_ + i < query(0) ? 0x1p-22F : 0x1p-25F;
      numbers_[i] = to_bf16(static_cast<float>(static_cast<std::int32_t>(state >> 8) - (1 << 23)) * size);
    }
  }

  bool right(const AttentionKernel& kernel) {
    if (attention_scratch(kKeys, kWidth) > sizeof scratch_) {
      return false;
    }
    AttentionRows rows;
    rows.bf16 = true;
    rows.head_width = kWidth;
    rows.query = query(0);
    rows.key = key(0);
    rows.value = value(0);
    rows.query_stride = rows.stride = rows.out_stride = kWidth;
    rows.out = out_;
    AttentionPart part;
    part.keys = kKeys;
    part.last = kQueries;
    std::memset(out_, 0xFF, sizeof out_);  // NaN
    attend_by(kernel, rows, part, scratch_);
    for (std::int64_t q = 0; q < kQueries; ++q) {
      if (!row_is_right(q)) {
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr std::int64_t kWidth = 80, kKeys = 37, kQueries = 67;
  static constexpr std::int64_t kNumbers = (2 * kKeys + kQueries) * kWidth;
  static constexpr double kTolerance = 0.04;  // of values below 2: five times what rounding makes

  const std::uint16_t* key(std::int64_t row) const { return numbers_ + row * kWidth; }
  const std::uint16_t* value(std::int64_t row) const { return numbers_ + (kKeys + row) * kWidth; }
  const std::uint16_t* query(std::int64_t row) const { return numbers_ + (2 * kKeys + row) * kWidth; }

  bool row_is_right(std::int64_t q) const {
    double weights[kKeys];
    double total = 0;
    for (std::int64_t k = 0; k < kKeys; ++k) {
      double score = 0;
      for (std::int64_t i = 0; i < kWidth; ++i) {
        score += number(query(q)[i]) * number(key(k)[i]);
      }
      weights[k] = std::exp(score);
      total += weights[k];
    }
    for (std::int64_t i = 0; i < kWidth; ++i) {
      double sum = 0;
      for (std::int64_t k = 0; k < kKeys; ++k) {
        sum += weights[k] * number(value(k)[i]);
      }
      if (!(std::fabs(number(out_[q * kWidth + i]) - sum / total) <= kTolerance)) {  // nor NaN
        return false;
      }
    }
    return true;
  }
  static double number(std::uint16_t value) { return static_cast<double>(from_bf16(value)); }

  std::uint16_t numbers_[kNumbers];
  std::uint16_t out_[kQueries * kWidth];
  alignas(64) std::uint8_t scratch_[1 << 17];
};

struct Chosen {
  const AttentionKernel* kernel = nullptr;
  std::uint32_t wrong = 0;  // bit i: that of the table computes wrong
};

const Chosen& chosen() noexcept {
  static const Chosen kChosen = [] {
    Chosen found;
    for (std::size_t i = table().size(); i-- > 0 && found.kernel == nullptr;) {
      const AttentionKernel& kernel = table()[i];
      if (kernel.available()) {
        const bool right = computes_right(kernel);
        found.kernel = right ? &kernel : nullptr;
        found.wrong |= static_cast<std::uint32_t>(!right) << i;
      }
    }
    return found;
  }();
  return kChosen;
}

// The kernel of pairs in use; null: vectors.
std::atomic<const AttentionKernel*>& in_use() noexcept {
  static std::atomic<const AttentionKernel*> kernel{chosen().kernel};
  return kernel;
}

// The kernels of pairs are for the best level of their processors.
bool at_its_level() noexcept {
#if defined(__x86_64__)
  return kernels::cpu_level() == kernels::CpuLevel::kAvx512;
#else
  return true;
#endif
}

}  // namespace

std::span<const AttentionKernel> attention_kernels() noexcept { return table(); }

AttentionKernel attention_kernel(bool bf16) noexcept {
  if (bf16 && at_its_level()) {
    if (const AttentionKernel* const kernel = in_use().load(std::memory_order_relaxed)) {
      return *kernel;
    }
  }
  return {"vectors", bf16 ? Units::kWidened : Units::kFloats, few_rows_product(), kVectorAttention, &always};
}

bool limit_attention_kernel(const char* name) noexcept {
  const std::string_view wanted = name;
  if (wanted.empty() || wanted == "vectors") {
    in_use() = wanted.empty() ? chosen().kernel : nullptr;
    return true;
  }
  for (const AttentionKernel& kernel : table()) {
    if (kernel.name == wanted && kernel.available()) {
      in_use() = &kernel;
      return true;
    }
  }
  return false;
}

bool computes_right(const AttentionKernel& kernel) noexcept {
  const std::unique_ptr<Trial> trial(new (std::nothrow) Trial);
  return trial != nullptr && trial->right(kernel);
}

bool is_wrong(const AttentionKernel& kernel) noexcept {
  return (chosen().wrong >> (&kernel - table().data()) & 1U) != 0;
}

}  // namespace bindrt::native
