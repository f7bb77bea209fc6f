// Products of a few rows: the level in use, and the one that every machine has.
#include "csrc/native/ops/few_rows.h"

#include <algorithm>
#include <cmath>

#include "kernels/base/cpu_features.h"
#include "kernels/base/dispatch.h"

namespace bindrt::native {
namespace {

#define LEVEL

struct Sixteen {
  float lane[16];
};
using Units = Sixteen;

Sixteen load_sums(const float* from) noexcept {
  Sixteen result;
  std::copy_n(from, 16, result.lane);
  return result;
}
Sixteen zero() noexcept { return {}; }
void store_sums(float* to, const Sixteen& sums) noexcept { std::copy_n(sums.lane, 16, to); }
Units load_units(const std::uint32_t* from) noexcept {
  return load_sums(reinterpret_cast<const float*>(from));
}
Units all_units(const std::uint32_t* from) noexcept {
  Units result;
  std::fill_n(result.lane, 16, *reinterpret_cast<const float*>(from));
  return result;
}
void multiply_add(Sixteen& sums, const Units& a, const Units& b) noexcept {
  for (int i = 0; i < 16; ++i) {
    sums.lane[i] = std::fma(a.lane[i], b.lane[i], sums.lane[i]);
  }
}
constexpr int kTileRows = 4;
constexpr int kTileVectors = 1;
constexpr int kTileSums = 4;

#include "csrc/native/ops/few_rows_body.h"

bool has_pairs() {
#if defined(__x86_64__)
  const auto& features = kernels::cpu_features();
  return std::any_of(features.begin(), features.end(),
                     [](const kernels::CpuFeature& f) { return f.name == "avx512bf16" && f.present; });
#else
  return false;
#endif
}

}  // namespace

void few_rows_baseline(const FewRows& work) noexcept { product(work); }

#if !defined(__x86_64__)
void few_rows_avx2(const FewRows& work) noexcept { product(work); }
void few_rows_avx512(const FewRows& work) noexcept { product(work); }
void few_rows_avx512_bf16(const FewRows&) noexcept {}
#endif

FewRowsProduct few_rows_product() noexcept {
  return kernels::choose(&few_rows_baseline, &few_rows_avx2, &few_rows_avx512);
}

FewRowsProduct few_rows_product_of_pairs() noexcept {
  static const bool has = has_pairs();
  return has && kernels::cpu_level() == kernels::CpuLevel::kAvx512 ? &few_rows_avx512_bf16 : nullptr;
}

}  // namespace bindrt::native
