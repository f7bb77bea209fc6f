// Attention of one layer of imagebind_huge's encoders, on one thread, by each kernel of each level that runs
// here: bench_attention [RUNS]. Numbers are random; the kernels run in turns, and the median of
// their processor time is told.
#include "csrc/native/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "csrc/native/numbers.h"
#include "csrc/native/ops/attention_kernel.h"
#include "kernels/base/dispatch.h"

namespace {

using namespace bindrt::native;
using bindrt::kernels::CpuLevel;

// Other work on the machine hardly disturbs processor time.
double seconds_of_this_thread() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Shape {
  const char* name;
  std::int64_t rows, heads, head_width;
  bool causal;
};
constexpr Shape kShapes[] = {{"vision", 257, 16, 80, false},
                             {"audio", 229, 12, 64, false},
                             {"depth", 197, 8, 48, false},
                             {"text", 77, 16, 64, true},
                             {"caption", 10, 16, 64, true}};

struct Way {
  CpuLevel level;
  AttentionKernel kernel;
  std::string name;
};

std::vector<Way> ways(bool bf16) {
  std::vector<Way> found;
  limit_attention_kernel("vectors");
  for (const CpuLevel level : {CpuLevel::kBaseline, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    if (limit_cpu_level(level) == level) {
      found.push_back({level, attention_kernel(bf16), std::string(cpu_level_name(level))});
    }
  }
  limit_cpu_level(CpuLevel::kAvx512);
  limit_attention_kernel("");
  for (const AttentionKernel& kernel : attention_kernels()) {
    if (bf16 && kernel.available()) {
      found.push_back({CpuLevel::kAvx512, kernel, kernel.name});
    }
  }
  return found;
}

void measure(const Shape& shape, bool bf16, int runs) {
  const std::int64_t width = shape.heads * shape.head_width;
  std::vector<float> floats(static_cast<std::size_t>(3 * width * shape.rows));
  std::mt19937 random;
  std::normal_distribution<float> normal(0.0F, 0.7F);
  std::generate(floats.begin(), floats.end(), [&] { return normal(random); });
  std::vector<std::uint16_t> shorts(floats.size());
  std::transform(floats.begin(), floats.end(), shorts.begin(), &to_bf16);
  std::vector<float> out(static_cast<std::size_t>(width * shape.rows));
  void* const scratch = ::operator new(attention_scratch(shape.rows, shape.head_width), std::align_val_t{64});

  AttentionRows rows;
  rows.bf16 = bf16;
  rows.head_width = shape.head_width;
  const char* const qkv =
      bf16 ? reinterpret_cast<const char*>(shorts.data()) : reinterpret_cast<const char*>(floats.data());
  rows.query = qkv;
  rows.key = qkv + width * (bf16 ? 2 : 4);
  rows.value = qkv + 2 * width * (bf16 ? 2 : 4);
  rows.query_stride = rows.stride = 3 * width;
  rows.out = out.data();
  rows.out_stride = width;

  const std::vector<Way> all = ways(bf16);
  std::vector<std::vector<double>> seconds(all.size());
  for (int run = 0; run < runs; ++run) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      limit_cpu_level(all[i].level);
      const double start = seconds_of_this_thread();
      for (std::int64_t head = 0; head < shape.heads; ++head) {
        attend_by(all[i].kernel, rows, {head, shape.rows, 0, 0, 0, shape.rows, shape.causal}, scratch);
      }
      seconds[i].push_back(seconds_of_this_thread() - start);
    }
  }
  limit_cpu_level(CpuLevel::kAvx512);
  ::operator delete(scratch, std::align_val_t{64});
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::nth_element(seconds[i].begin(), seconds[i].begin() + runs / 2, seconds[i].end());
    std::printf("%-8s %s %-12s %9.3f ms\n", shape.name, bf16 ? "bf16" : "fp32", all[i].name.c_str(),
                1e3 * seconds[i][static_cast<std::size_t>(runs / 2)]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
  for (const bool bf16 : {true, false}) {
    for (const Shape& shape : kShapes) {
      measure(shape, bf16, runs);
    }
  }
  return 0;
}
