// Computes the window, the bands and the factors of the transform, once.
#include "kernels/mel/mel_tables.h"

#include <algorithm>
#include <cmath>

namespace bindrt::kernels {
namespace {

constexpr double kPi = 3.14159265358979323846;

double to_mel(double hertz) { return 1127.0 * std::log(1.0 + hertz / 700.0); }

fft512::Twiddle twiddle(std::int32_t k, std::int32_t of) {
  const double angle = -2.0 * kPi * (k % of) / of;
  return {std::cos(angle), std::sin(angle)};
}

void fill_fft(fft512::Tables& fft) {
  fft512::Twiddle* next = fft.passes;
  for (std::int32_t length = 256; length > 4; length /= 4) {
    for (std::int32_t n = 0; n < length / 4; ++n) {
      for (std::int32_t j = 1; j < 4; ++j) {
        *next++ = twiddle(j * n, length);
      }
    }
  }
  for (std::int32_t k = 0; k <= 128; ++k) {
    fft.split[k] = twiddle(k, 512);
  }
}

void fill_bands(MelTables& tables) {
  const double low = to_mel(kMelLow);
  const double step = (to_mel(kMelHigh) - low) / (kMelBands + 1);
  std::int32_t used = 0;
  for (std::int32_t band = 0; band < kMelBands; ++band) {
    tables.first_weight[band] = used;
    const double left = low + band * step;
    const double right = low + (band + 2) * step;
    for (std::int32_t bin = 0; bin < kMelBins; ++bin) {
      const double at = to_mel(bin * static_cast<double>(kMelRate) / kMelFft);
      const double weight = std::min(at - left, right - at) / step;
      if (weight > 0.0) {
        tables.weights[used] = static_cast<float>(0.25 * weight);
        tables.places[used++] = fft512::position(bin);
      }
    }
  }
  tables.first_weight[kMelBands] = used;
}

MelTables make() {
  MelTables tables = {};
  for (std::int32_t i = 0; i < kMelWindow; ++i) {
    tables.window[i] = 0.5 - 0.5 * std::cos(2.0 * kPi * i / (kMelWindow - 1));
  }
  fill_fft(tables.fft);
  fill_bands(tables);
  return tables;
}

}  // namespace

const MelTables& mel_tables() noexcept {
  static const MelTables tables = make();
  return tables;
}

}  // namespace bindrt::kernels
