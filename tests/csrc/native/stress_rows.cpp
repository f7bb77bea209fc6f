// Norms and conversions of random rows: against float64, the same bits at every level.
#include <cmath>
#include <cstring>
#include <vector>

#include "csrc/native/ops/rows.h"
#include "tests/cpp/stress.h"
#include "tests/csrc/native/levels.h"

namespace {

using namespace bindrt;
using namespace bindrt::native;

struct Case {
  std::int64_t rows;
  std::int64_t width;
  bool bf16;
  bool normed;
  bool biased;
  RowsOut to;
};

Case a_case(stress::Bytes& bytes) {
  Case c;
  c.rows = bytes.small(1, 6);
  c.width = bytes.small(1, 1500);
  c.normed = bytes.chance(2);
  c.bf16 = !c.normed && bytes.chance(2);
  c.biased = bytes.chance(2);
  c.to.numbers = static_cast<Numbers>(bytes.number(0, 2));
  c.to.padded = c.width + (bytes.chance(2) ? 0 : bytes.range(0, 63));
  c.to.stride = (c.to.padded + (bytes.chance(2) ? 0 : bytes.range(0, 9))) * bytes_of(c.to.numbers);
  c.to.fixed = bytes.chance(3)   ? static_cast<float>(bytes.real(1e-3, 0.1))
               : bytes.chance(4) ? std::ldexp(1.0F, bytes.number(-9, -3))  // halves are often met
                                 : 0.0F;
  return c;
}

struct Data {
  Data(const Case& c, stress::Bytes& bytes)
      : input(c.rows * c.width * (c.bf16 ? 2 : 4)), weight(c.width), bias(c.width) {
    std::mt19937 random = bytes.random();
    std::normal_distribution<float> normal(static_cast<float>(bytes.real(-2, 2)));
    const float size = bytes.chance(8) ? 0.0F : static_cast<float>(std::ldexp(1.0, bytes.number(-30, 30)));
    for (std::int64_t i = 0; i < c.rows * c.width; ++i) {
      const float x = normal(random) * size;
      const std::uint16_t narrow = to_bf16(x);
      std::memcpy(input.data() + i * (c.bf16 ? 2 : 4), c.bf16 ? static_cast<const void*>(&narrow) : &x,
                  c.bf16 ? 2 : 4);
    }
    for (std::int64_t i = 0; i < c.width; ++i) {
      weight[i] = normal(random);
      bias[i] = normal(random);
    }
  }
  double number(const Case& c, std::int64_t row, std::int64_t i) const {
    const std::int64_t at = row * c.width + i;
    if (c.bf16) {
      std::uint16_t narrow;
      std::memcpy(&narrow, input.data() + 2 * at, 2);
      return static_cast<double>(from_bf16(narrow));
    }
    float x;
    std::memcpy(&x, input.data() + 4 * at, 4);
    return static_cast<double>(x);
  }
  stress::Exact<std::uint8_t> input;
  stress::Exact<float> weight;
  stress::Exact<float> bias;
};

struct Result {
  explicit Result(const Case& c)
      : numbers((c.rows - 1) * c.to.stride + c.to.padded * bytes_of(c.to.numbers)), steps(c.rows) {
    std::fill(steps.begin(), steps.end(), 0.0F);
  }
  bool same(const Result& other) const {
    return std::memcmp(numbers.data(), other.numbers.data(), static_cast<std::size_t>(numbers.size())) == 0 &&
           std::memcmp(steps.data(), other.steps.data(), static_cast<std::size_t>(steps.size()) * 4) == 0;
  }
  stress::Exact<std::uint8_t> numbers;
  stress::Exact<float> steps;
};

void run(const Case& c, Data& data, Result& result, std::int64_t first, std::int64_t last) {
  RowsOut to = c.to;
  to.data = result.numbers.data();
  to.steps = result.steps.data();
  const RowsIn from{data.input.data(), c.width, c.bf16};
  if (c.normed) {
    norm_rows(from, first, last, c.width, {data.weight.data(), c.biased ? data.bias.data() : nullptr, 1e-6F},
              to);
  } else {
    convert_rows(from, first, last, c.width, to);
  }
}

// A row's numbers in float64.
std::vector<double> expected(const Case& c, const Data& data, std::int64_t row, double& noise) {
  std::vector<double> result;
  double mean = 0, variance = 0, largest = 0;
  for (std::int64_t i = 0; i < c.width; ++i) {
    result.push_back(data.number(c, row, i));
    mean += result.back() / static_cast<double>(c.width);
    largest = std::fmax(largest, std::fabs(result.back()));
  }
  noise = 0;
  if (!c.normed) {
    return result;
  }
  for (const double x : result) {
    variance += (x - mean) * (x - mean) / static_cast<double>(c.width);
  }
  const double factor = 1 / std::sqrt(variance + static_cast<double>(1e-6F));
  noise = 4e-7 * largest * factor + 4e-7;  // of a normed number, before the weight
  for (std::int64_t i = 0; i < c.width; ++i) {
    double& x = result[static_cast<std::size_t>(i)];
    x = (x - mean) * factor * static_cast<double>(data.weight[i]) +
        (c.biased ? static_cast<double>(data.bias[i]) : 0.0);
  }
  return result;
}

void check_row(const Case& c, const Data& data, const Result& result, std::int64_t row) {
  double noise = 0;
  const std::vector<double> want = expected(c, data, row, noise);
  const std::uint8_t* const bytes = result.numbers.data() + row * c.to.stride;
  double peak = 0;
  for (const double x : want) {
    peak = std::fmax(peak, std::fabs(x));
  }
  const auto step = static_cast<double>(result.steps[row]);
  if (c.to.numbers == Numbers::kInt8) {
    const double exact = c.to.fixed > 0 ? static_cast<double>(c.to.fixed) : std::fmax(peak, 1e-30) / 127;
    CHECK_NEAR(step, exact, exact * 1e-6 + 10 * noise);
  }
  bool good = true;
  for (std::int64_t i = 0; i < c.to.padded; ++i) {
    const double x = i < c.width ? want[static_cast<std::size_t>(i)] : 0.0;
    const double weight = c.normed && i < c.width ? 1 + std::fabs(static_cast<double>(data.weight[i])) : 1.0;
    const double loose = i < c.width ? 4 * noise * weight + 1e-6 * std::fabs(x) : 0.0;
    if (c.to.numbers == Numbers::kInt8) {
      if (i >= c.width) {
        continue;  // any byte
      }
      if (!c.normed) {
        const float level = static_cast<float>(x) / result.steps[row];
        good = good && bytes[i] == std::fmin(std::fmax(std::nearbyint(level), -128.0F), 127.0F) + 128.0F;
        continue;
      }
      const double got = (bytes[i] - 128.0) * step;
      const double clamped = std::fmin(std::fmax(x, -128 * step), 127 * step);
      good = good && std::fabs(got - clamped) <= 0.50001 * step + loose;
    } else if (c.to.numbers == Numbers::kBf16) {
      std::uint16_t narrow;
      std::memcpy(&narrow, bytes + 2 * i, 2);
      good = good &&
             std::fabs(static_cast<double>(from_bf16(narrow)) - x) <= std::fabs(x) * 0x1p-8 + loose + 1e-40;
    } else {
      float got;
      std::memcpy(&got, bytes + 4 * i, 4);
      good = good && std::fabs(static_cast<double>(got) - x) <= loose;
    }
  }
  CHECK(good);
}

}  // namespace

void bindrt::stress::one_case(Bytes& bytes) {
  const Case c = a_case(bytes);
  Data data(c, bytes);
  Result first(c);
  kernels::limit_cpu_level(kernels::CpuLevel::kBaseline);
  run(c, data, first, 0, c.rows);
  for (std::int64_t row = 0; row < c.rows; ++row) {
    check_row(c, data, first, row);
  }
  for (const kernels::CpuLevel level : testing::levels()) {
    kernels::limit_cpu_level(level);
    Result other(c);
    const std::int64_t middle = bytes.range(0, c.rows);
    run(c, data, other, 0, middle);
    run(c, data, other, middle, c.rows);
    CHECK(first.same(other));
  }
  kernels::limit_cpu_level(kernels::CpuLevel::kAvx512);
}
