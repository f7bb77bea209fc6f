// The pool op against its definition.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "kernels/base/dispatch.h"
#include "kernels/base/half.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/vector_problem.h"
#include "tests/cpp/check.h"

namespace {

using bindrt::kernels::CpuLevel;
using bindrt::kernels::OutType;
using bindrt::kernels::PoolInput;
using bindrt::kernels::PoolOptions;
using Floats = std::vector<float>;
using Counts = std::vector<std::int64_t>;

// Allocated to the last byte, so that the address sanitizer sees a step too far.
Floats pool(const Floats& views, const Counts& counts, const Floats* weights, std::int64_t dim,
            bool normalize, double scale = 1.0, int threads = 1) {
  Floats out(counts.size() * static_cast<std::size_t>(dim), -7.0F);
  const PoolInput input{views.data(), weights == nullptr ? nullptr : weights->data(), counts.data(),
                        static_cast<std::int64_t>(counts.size()), dim};
  bindrt::kernels::pool_views(input, {normalize, scale, OutType::kFloat32, threads}, out.data());
  return out;
}

// The definition, written the slow way in the widest type.
Floats reference(const Floats& views, const Counts& counts, const Floats* weights, std::int64_t dim,
                 bool normalize) {
  Floats out;
  const auto width = static_cast<std::size_t>(dim);
  std::size_t row = 0;
  for (const std::int64_t count : counts) {
    std::vector<long double> mean(width, 0.0L);
    long double total = 0.0L;
    for (std::int64_t view = 0; view < count; ++view, ++row) {
      const long double weight = weights == nullptr ? 1.0L : static_cast<long double>((*weights)[row]);
      total += weight;
      for (std::size_t column = 0; column < width; ++column) {
        mean[column] += weight * static_cast<long double>(views[row * width + column]);
      }
    }
    long double squares = 0.0L;
    for (long double& value : mean) {
      value /= total;
      squares += value * value;
    }
    const long double length = normalize && squares > 0.0L ? std::sqrt(squares) : 1.0L;
    for (const long double value : mean) {
      out.push_back(static_cast<float>(value / length));
    }
  }
  return out;
}

struct Case {
  Floats views;
  Floats weights;
  Counts counts;
  std::int64_t dim;
};

Case random_case(std::int64_t dim, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> values;
  std::uniform_real_distribution<float> weights(0.01F, 3.0F);
  Case made{{}, {}, {1, 15, 3, 2, 1}, dim};
  for (const std::int64_t count : made.counts) {
    for (std::int64_t view = 0; view < count; ++view) {
      made.weights.push_back(weights(random));
      for (std::int64_t column = 0; column < dim; ++column) {
        made.views.push_back(values(random));
      }
    }
  }
  return made;
}

void against_reference() {
  for (const std::int64_t dim :
       {1, 3, 15, 16, 17, 768, 1023, 1024, 1025, 2050}) {  // around the kernel's blocks
    const Case it = random_case(dim, static_cast<std::uint32_t>(dim));
    for (const bool normalize : {false, true}) {
      for (const Floats* weights : {static_cast<const Floats*>(nullptr), &it.weights}) {
        const Floats got = pool(it.views, it.counts, weights, dim, normalize);
        const Floats want = reference(it.views, it.counts, weights, dim, normalize);
        for (std::size_t i = 0; i < want.size(); ++i) {
          const double value = static_cast<double>(want[i]);
          CHECK_NEAR(static_cast<double>(got[i]), value, 1e-7 * std::fabs(value) + 1e-12);
        }
      }
    }
  }
}

// The same bits at every level, for any number of threads; halves are the floats, rounded.
void levels_and_types() {
  for (const std::int64_t dim : {1, 7, 31, 768, 1024, 1500}) {
    const Case it = random_case(dim, static_cast<std::uint32_t>(dim) + 1);
    for (const bool normalize : {false, true}) {
      bindrt::kernels::limit_cpu_level(CpuLevel::kBaseline);
      const Floats want = pool(it.views, it.counts, &it.weights, dim, normalize, 20.0);
      for (const CpuLevel level : {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
        bindrt::kernels::limit_cpu_level(level);
        CHECK(pool(it.views, it.counts, &it.weights, dim, normalize, 20.0, 3) == want);
        std::vector<std::uint16_t> halves(want.size());
        const PoolInput input{it.views.data(), it.weights.data(), it.counts.data(),
                              static_cast<std::int64_t>(it.counts.size()), dim};
        bindrt::kernels::pool_views(input, {normalize, 20.0, OutType::kFloat16, 1}, halves.data());
        for (std::size_t i = 0; i < want.size(); ++i) {
          CHECK(halves[i] == bindrt::kernels::to_half(want[i]));
        }
      }
    }
  }
}

void scales() {
  const Floats plain = pool({3, 4, 1, 0}, {1, 1}, nullptr, 2, true);
  CHECK(pool({3, 4, 1, 0}, {1, 1}, nullptr, 2, true, 20.0) == Floats({12, 16, 20, 0}));
  CHECK(pool({3, 4, 1, 0}, {2}, nullptr, 2, false, 5.0) == Floats({10, 10}));
  CHECK(pool({3, 4, 1, 0}, {1, 1}, nullptr, 2, true, 1.0) == plain);
}

// Every kind of number through the processor's instruction: as the portable conversion.
void halves() {
  Floats values;
  for (std::uint32_t bits = 0; bits < 0xFFFF0000U; bits += 0x7F3U * 0x61U) {
    values.push_back(bindrt::kernels::bits_float(bits));
  }
  std::vector<std::uint16_t> got(values.size());
  bindrt::kernels::to_halves(values.data(), static_cast<std::int64_t>(values.size()), got.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool both_nan = std::isnan(values[i]) && (got[i] & 0x7FFFU) > 0x7C00U;
    CHECK(both_nan || got[i] == bindrt::kernels::to_half(values[i]));
  }
}

void edges() {
  CHECK(pool({0, 0, 0, 0}, {2}, nullptr, 2, true) == Floats({0, 0}));  // no direction: stays zeros
  CHECK(pool({1, -1, -1, 1}, {2}, nullptr, 2, true) == Floats({0, 0}));
  CHECK(pool({}, {}, nullptr, 4, true).empty());
  CHECK(pool({}, {1, 2}, nullptr, 0, true).empty());
  CHECK(pool({3, 4}, {1}, nullptr, 2, false) == Floats({3, 4}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Floats weights{2, 0};
  CHECK(pool({3, 4, nan, nan}, {2}, &weights, 2, false) == Floats({3, 4}));  // no weight, no matter
  const Floats lost = pool({nan, 1, 0, 2}, {1, 1}, nullptr, 2, true);
  CHECK(std::isnan(lost[0]) && lost[2] == 0.0F && lost[3] == 1.0F);  // NaN stays with its item
}

void extremes() {
  const float huge = std::numeric_limits<float>::max();
  const float tiny = std::numeric_limits<float>::denorm_min();
  CHECK(pool({huge, huge}, {2}, nullptr, 1, false) == Floats({huge}));  // the sum does not overflow
  CHECK(pool({huge, 0}, {1}, nullptr, 2, true) == Floats({1, 0}));
  CHECK(pool({tiny, 0}, {1}, nullptr, 2, true) == Floats({1, 0}));  // nor do squares underflow
  const Floats weights{tiny, tiny};
  CHECK(pool({1, 3}, {2}, &weights, 1, false) == Floats({2}));
}

void threads() {
  const Case it = random_case(1024, 7);
  const Floats want = pool(it.views, it.counts, &it.weights, it.dim, true);
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 8; ++worker) {
    workers.emplace_back([&it, &want] {
      for (int round = 0; round < 20; ++round) {
        CHECK(pool(it.views, it.counts, &it.weights, it.dim, true) == want);  // the very same bits
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
}

void problems() {
  using bindrt::kernels::vector_problem;
  const auto good = [](const Floats& vector, bool normalized) {
    return vector_problem(vector.data(), static_cast<std::int64_t>(vector.size()), normalized) == nullptr;
  };
  const float infinite = std::numeric_limits<float>::infinity();
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  for (const bool normalized : {false, true}) {
    CHECK(good({0.6F, 0.8F}, normalized) && good({0, -1}, normalized));
    CHECK(!good({0, 0}, normalized));
    for (const float bad : {infinite, -infinite, std::numeric_limits<float>::quiet_NaN()}) {
      CHECK(!good({1, bad}, normalized) && !good({bad, 0}, normalized));
    }
  }
  for (std::size_t at = 0; at < 19; ++at) {  // wherever it stands
    Floats vector(19, 0.0F);
    vector[at] = 1.0F;
    CHECK(good(vector, true));
    vector[at] = infinite;
    CHECK(!good(vector, true));
  }
  CHECK(good({largest, -largest}, false) && good({smallest, 0}, false) && good({2, 0}, false));
  CHECK(!good({largest, -largest}, true) && !good({smallest, 0}, true) && !good({1.001F, 0}, true));
}

}  // namespace

int main() {
  against_reference();
  levels_and_types();
  scales();
  halves();
  edges();
  extremes();
  threads();
  problems();
  return bindrt::testing::finish();
}
