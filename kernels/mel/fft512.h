// The power spectrum of 512 real numbers, as four radix-4 passes over 256 complex ones, z[n] = x[2n] +
// i x[2n+1]. T is double, or a vector of doubles whose lanes are separate signals: in floats, what a loud
// tone leaks into all the other frequencies would be as loud as 16-bit noise. The passes are in place:
// afterwards a frequency's number lies at the position with its base-4 digits reversed.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels::fft512 {

inline constexpr std::int32_t kPoints = 256;  // complex
inline constexpr std::int32_t kTwiddles = 3 * (64 + 16 + 4);

template <class T>
struct Complex {
  T re;
  T im;
};

// A factor exp(-2 pi i k / 512 or / 256) of the tables.
struct Twiddle {
  double re;
  double im;
};

struct Tables {
  // exp(-2 pi i j n / L), j = 1, 2, 3 for each n < L / 4, of the passes L = 256, 64, 16 one after another.
  Twiddle passes[kTwiddles];
  Twiddle split[129];  // exp(-2 pi i k / 512)
};

// Where the passes leave frequency `k` of the 256.
BINDRT_HD std::int32_t position(std::int32_t k) {
  return (k & 3) << 6 | (k >> 2 & 3) << 4 | (k >> 4 & 3) << 2 | k >> 6;
}

template <class T>
BINDRT_HD Complex<T> times(const Complex<T>& a, const Twiddle& w) {
  return {a.re * w.re - a.im * w.im, a.re * w.im + a.im * w.re};
}

// The four-point transform of z, in place.
template <class T>
BINDRT_HD void transform4(Complex<T> (&z)[4]) {
  const Complex<T> even_sum{z[0].re + z[2].re, z[0].im + z[2].im};
  const Complex<T> even_rest{z[0].re - z[2].re, z[0].im - z[2].im};
  const Complex<T> odd_sum{z[1].re + z[3].re, z[1].im + z[3].im};
  const Complex<T> odd_rest{z[1].re - z[3].re, z[1].im - z[3].im};
  z[0] = {even_sum.re + odd_sum.re, even_sum.im + odd_sum.im};
  z[1] = {even_rest.re + odd_rest.im, even_rest.im - odd_rest.re};
  z[2] = {even_sum.re - odd_sum.re, even_sum.im - odd_sum.im};
  z[3] = {even_rest.re - odd_rest.im, even_rest.im + odd_rest.re};
}

// A butterfly of the first three passes: `w` are its three factors.
template <class T>
BINDRT_HD void butterfly(Complex<T> (&z)[4], const Twiddle* w) {
  transform4(z);
  z[1] = times(z[1], w[0]);
  z[2] = times(z[2], w[1]);
  z[3] = times(z[3], w[2]);
}

// Four times the powers of frequencies k and 256 - k of the real signal, from the complex transform's
// numbers there. `w` is exp(-2 pi i k / 512).
template <class T>
BINDRT_HD void split_powers(const Complex<T>& at_k, const Complex<T>& at_rest, const Twiddle& w, T& power_k,
                            T& power_rest) {
  const Complex<T> even{at_k.re + at_rest.re, at_k.im - at_rest.im};
  const Complex<T> odd = times(Complex<T>{at_k.im + at_rest.im, at_rest.re - at_k.re}, w);
  const Complex<T> sum{even.re + odd.re, even.im + odd.im};
  const Complex<T> rest{even.re - odd.re, even.im - odd.im};
  power_k = sum.re * sum.re + sum.im * sum.im;
  power_rest = rest.re * rest.re + rest.im * rest.im;
}

// Does that for a pair k, 256 - k of which either may be the lower one; not 0, 128 or 256.
template <class T>
BINDRT_HD void pair_powers(const Tables& tables, std::int32_t k, const Complex<T>& at_k,
                           const Complex<T>& at_rest, T& power_k, T& power_rest) {
  if (k < 128) {
    split_powers(at_k, at_rest, tables.split[k], power_k, power_rest);
  } else {
    split_powers(at_rest, at_k, tables.split[256 - k], power_rest, power_k);
  }
}

// The power of frequency 128, which is its own partner.
template <class T>
BINDRT_HD T middle_power(const Complex<T>& at_k) {
  return (at_k.re * at_k.re + at_k.im * at_k.im) * 4.0;
}

}  // namespace bindrt::kernels::fft512
