// The taps of antialiased resizes.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/resize/antialias.h"
#include "kernels/resize/square.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt::kernels;

// The weight of input pixel `k` for output `out`, from the definition: the filter at their distance.
double filter_at(ResizeFilter filter, double x) {
  x = std::fabs(x);
  if (filter == ResizeFilter::kBilinear) {
    return std::max(1.0 - x, 0.0);
  }
  return x < 1 ? 1.5 * x * x * x - 2.5 * x * x + 1 : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
}

void the_definition() {
  for (const auto filter : {ResizeFilter::kBilinear, ResizeFilter::kBicubic}) {
    for (const std::int32_t in : {1, 2, 7, 100, 333, 1080}) {
      for (const std::int64_t out : {1, 3, 224, 398}) {
        const auto taps = antialias_taps(whole_axis(in, out, filter));
        const double scale = static_cast<double>(in) / static_cast<double>(out);
        for (std::int32_t i = 0; i < taps->count; ++i) {
          const double* const row = &taps->weights[static_cast<std::size_t>(i) * taps->width];
          const std::int32_t begin = taps->begins[static_cast<std::size_t>(i)];
          const std::int32_t end = begin + taps->lengths[static_cast<std::size_t>(i)];
          const auto raw = [&](std::int32_t k) {
            return filter_at(filter, (k + 0.5 - (i + 0.5) * scale) / std::max(scale, 1.0));
          };
          double total = 0;
          for (std::int32_t k = 0; k < in; ++k) {
            total += raw(k);
            CHECK((k >= begin && k < end) || std::fabs(raw(k)) < 1e-9);
          }
          for (std::int32_t k = begin; k < end; ++k) {
            CHECK_NEAR(row[k - begin], raw(k) / total, 1e-12);
          }
        }
      }
    }
  }
}

void a_range_is_a_part_of_the_whole() {
  const auto whole = antialias_taps(whole_axis(640, 298, ResizeFilter::kBicubic));
  const auto part = antialias_taps({640, 298, 37, 224, ResizeFilter::kBicubic, 0.0, 640.0});
  for (std::size_t i = 0; i < 224; ++i) {
    CHECK(part->begins[i] == whole->begins[i + 37]);
    CHECK(part->lengths[i] == whole->lengths[i + 37]);
    for (std::size_t k = 0; k < static_cast<std::size_t>(part->lengths[i]); ++k) {
      CHECK(part->fixed[i * part->width + k] == whole->fixed[(i + 37) * whole->width + k]);
    }
  }
  CHECK(part->first_input == whole->begins[37]);
  CHECK(part->last_input < 640);
}

void identity() {
  const auto taps = antialias_taps(whole_axis(224, 224, ResizeFilter::kBicubic));
  for (std::int32_t i = 0; i < 224; ++i) {
    for (std::int32_t k = 0; k < taps->width; ++k) {
      const bool same = taps->begins[static_cast<std::size_t>(i)] + k == i;
      CHECK(taps->fixed[static_cast<std::size_t>(i * taps->width + k)] == (same ? 1 << kFixedBits : 0));
    }
  }
}

void boxes() {
  // A box on whole pixels weighs as the cropped picture where it does not reach outside.
  const auto boxed = antialias_taps({100, 30, 0, 30, ResizeFilter::kBilinear, 20.0, 80.0});
  const auto cropped = antialias_taps(whole_axis(60, 30, ResizeFilter::kBilinear));
  for (std::size_t i = 1; i < 29; ++i) {
    CHECK(boxed->begins[i] == cropped->begins[i] + 20);
    CHECK_NEAR(boxed->weights[i * boxed->width], cropped->weights[i * cropped->width], 1e-12);
  }
}

void huge_axes() {
  constexpr std::int32_t kMost = 2147483647;
  const SquareAxes line = centre_square(kMost, 1, 224, ResizeFilter::kBicubic);
  CHECK(line.across.out_size == std::int64_t{224} * kMost);
  const auto taps = antialias_taps(line.across);
  CHECK(taps->count == 224 && taps->width <= 5);
  CHECK(taps->first_input > kMost / 2 - 5 && taps->last_input < kMost / 2 + 5);
  const auto one = antialias_taps(line.down);
  CHECK(one->width == 1 && one->fixed[100] == 1 << kFixedBits);
}

void squares() {
  const SquareAxes wide = centre_square(1920, 1080, 224, ResizeFilter::kBicubic);
  CHECK(wide.across.out_size == 398 && wide.across.first == 87 && wide.across.count == 224);
  CHECK(wide.down.out_size == 224 && wide.down.first == 0);
  CHECK(centre_square(225, 224, 224, ResizeFilter::kBicubic).across.first == 0);  // 0.5 to even
  CHECK(centre_square(227, 224, 224, ResizeFilter::kBicubic).across.first == 2);  // 1.5 to even
  CHECK(centre_square(224, 229, 224, ResizeFilter::kBicubic).down.first == 2);    // 2.5 to even
}

void threads_and_the_cache() {
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([] {
      for (std::int32_t in = 1; in < 200; ++in) {  // more than the cache holds
        const auto taps = antialias_taps(whole_axis(in, 20, ResizeFilter::kBicubic));
        CHECK(taps->count == 20 && taps->last_input == in);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  const auto first = antialias_taps(whole_axis(5, 20, ResizeFilter::kBicubic));
  CHECK(antialias_taps(whole_axis(5, 20, ResizeFilter::kBicubic)) == first);
}

}  // namespace

int main() {
  the_definition();
  a_range_is_a_part_of_the_whole();
  identity();
  boxes();
  huge_axes();
  squares();
  threads_and_the_cache();
  return bindrt::testing::finish();
}
