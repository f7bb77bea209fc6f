// e^x against float64, with vectors of every length.
#include <cmath>
#include <cstring>
#include <limits>

#include "csrc/native/ops/exponential.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt;
using namespace bindrt::native;

template <int N>
float one(float x) {
  float lane[N];
  kernels::simd::store(lane, lanes::exponential<N>(kernels::simd::broadcast<N>(x)));
  return lane[N - 1];
}

float unit_in_last_place(float x) { return std::nextafter(x, std::numeric_limits<float>::infinity()) - x; }

}  // namespace

int main() {
  double worst = 0;
  bool same = true;
  for (std::uint32_t bits = 0x80000000U; bits < 0xC2AE0000U; bits += 977U) {  // −0 … −87
    const float x = kernels::bits_float(bits);
    const float got = one<4>(x);
    const double exact = std::exp(static_cast<double>(x));
    const auto unit = static_cast<double>(unit_in_last_place(static_cast<float>(exact)));
    worst = std::fmax(worst, std::fabs(static_cast<double>(got) - exact) / unit);
    same = same && got == one<8>(x) && got == one<16>(x);
  }
  CHECK(worst < 2.0);
  CHECK(same);
  CHECK(one<16>(0.0F) == 1.0F);
  CHECK(one<8>(-87.1F) == one<8>(-87.0F));
  CHECK(one<4>(-1e30F) == one<8>(-87.0F));
  CHECK(one<16>(-std::numeric_limits<float>::infinity()) == one<8>(-87.0F));
  CHECK(std::isnan(one<4>(std::numeric_limits<float>::quiet_NaN())));
  return testing::finish();
}
