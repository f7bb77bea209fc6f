// The pool op on random views and weights.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/pool/pool.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using kernels::OutType;
using kernels::PoolInput;
using kernels::PoolOptions;

// Numbers of any size that a mean of them can hold, now and then from one end of what a float can hold.
void fill(Exact<float>& values, Bytes& bytes, float low) {
  std::mt19937 random = bytes.random();
  const double extreme = bytes.chance(8) ? std::ldexp(1.0, bytes.number(-140, 118)) : 1.0;
  std::uniform_real_distribution<double> numbers(static_cast<double>(low), 1.0);
  for (float& value : values) {
    value = static_cast<float>(numbers(random) * extreme);
  }
}

struct Case {
  explicit Case(Bytes& bytes)
      : items(bytes.small(0, 12)), dim(bytes.chance(6) ? bytes.range(1000, 1100) : bytes.small(0, 400)) {
    for (std::int64_t i = 0; i < items; ++i) {
      counts.push_back(bytes.small(1, 20));
      rows += counts.back();
    }
  }

  std::int64_t items;
  std::int64_t dim;
  std::int64_t rows = 0;
  std::vector<std::int64_t> counts;
};

// Weights of which no item has only zeros.
void weigh(const Case& it, Bytes& bytes, Exact<float>& weights) {
  fill(weights, bytes, 0.0F);
  std::int64_t row = 0;
  for (const std::int64_t count : it.counts) {
    if (bytes.chance(3)) {
      weights[row + bytes.range(0, count - 1)] = 0.0F;
    }
    weights[row + bytes.range(0, count - 1)] = 0.5F;
    row += count;
  }
}

double mean_at(const Case& it, const float* views, const float* weights, std::int64_t first,
               std::int64_t count, std::int64_t column) {
  long double sum = 0;
  long double total = 0;
  for (std::int64_t row = first; row < first + count; ++row) {
    const long double weight = weights == nullptr ? 1.0L : static_cast<long double>(weights[row]);
    sum += weight * static_cast<long double>(views[row * it.dim + column]);
    total += weight;
  }
  return static_cast<double>(sum / total);
}

// Means as they are, and unit vectors' lengths, against the definition.
void check_values(const Case& it, const Exact<float>& views, const float* weights, const PoolOptions& options,
                  const Out& out) {
  std::int64_t row = 0;
  for (std::int64_t item = 0; item < it.items; ++item) {
    const std::int64_t count = it.counts[static_cast<std::size_t>(item)];
    double squares = 0;
    for (std::int64_t column = 0; column < it.dim; ++column) {
      const double got = static_cast<double>(out.number(item * it.dim + column));
      squares += got * got;
      if (!options.normalize) {
        const double want = mean_at(it, views.data(), weights, row, count, column) * options.scale;
        double size = 0;  // of what was summed, against which rounding counts
        for (std::int64_t r = row; r < row + count; ++r) {
          size = std::max(size, std::fabs(static_cast<double>(views[r * it.dim + column])));
        }
        CHECK_NEAR(got, want, 1e-7 * std::fabs(want) + 1e-14 * size * std::fabs(options.scale) + 1e-44);
      }
    }
    if (options.normalize && squares > 0) {
      CHECK_NEAR(std::sqrt(squares), std::fabs(options.scale), 1e-5 * std::fabs(options.scale));
    }
    row += count;
  }
}

}  // namespace

void one_case(Bytes& bytes) {
  const Case it(bytes);
  Exact<float> views(it.rows * it.dim, shift_of<float>(bytes));
  fill(views, bytes, -1.0F);
  Exact<float> weights(it.rows, shift_of<float>(bytes));
  const bool weighted = bytes.chance(2);
  if (weighted) {
    weigh(it, bytes, weights);
  }
  Exact<std::int64_t> counts(it.items, shift_of<std::int64_t>(bytes));
  std::copy(it.counts.begin(), it.counts.end(), counts.begin());
  PoolOptions options;
  options.normalize = bytes.chance(2);
  options.scale = bytes.chance(2) ? 1.0 : bytes.real(-100, 100);
  options.threads = bytes.number(1, 4);
  const PoolInput input{views.data(), weighted ? weights.data() : nullptr, counts.data(), it.items, it.dim};

  const std::int64_t numbers = it.items * it.dim;
  Out out(OutType::kFloat32, numbers, bytes);
  bytes.level();
  kernels::pool_views(input, options, out.data());
  check_values(it, views, input.weights, options, out);
  CHECK(out.numbers.intact());

  options.out_type = OutType::kFloat16;
  Out halves(OutType::kFloat16, numbers, bytes);
  kernels::pool_views(input, options, halves.data());
  CHECK(halves.halves_of(out));
  CHECK(halves.numbers.intact());

  options.out_type = OutType::kFloat32;
  options.threads = 1;
  Out baseline(OutType::kFloat32, numbers, bytes);
  kernels::limit_cpu_level(kernels::CpuLevel::kBaseline);
  kernels::pool_views(input, options, baseline.data());
  CHECK(baseline.same(out));
}

}  // namespace bindrt::stress
