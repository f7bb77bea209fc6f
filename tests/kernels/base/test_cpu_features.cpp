// The features that the processor is said to have.
#include <thread>
#include <vector>

#include "kernels/base/cpu_features.h"
#include "tests/cpp/check.h"

using bindrt::kernels::has_cpu_feature;

int main() {
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {  // the first use may come from any thread
    workers.emplace_back([] { CHECK(&bindrt::kernels::cpu_features() == &bindrt::kernels::cpu_features()); });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  CHECK(!has_cpu_feature("avx2") || has_cpu_feature("avx"));
  CHECK(!has_cpu_feature("no such feature"));
  CHECK(!has_cpu_feature("amx_int8") || has_cpu_feature("amx"));
  CHECK(!has_cpu_feature("avx512bw") || (has_cpu_feature("avx512f") && has_cpu_feature("avx2")));
#if defined(__x86_64__) || defined(__aarch64__)
  CHECK(!bindrt::kernels::cpu_features().empty());
#endif
#if defined(__GNUC__) && defined(__x86_64__)
  CHECK(has_cpu_feature("avx2") == static_cast<bool>(__builtin_cpu_supports("avx2")));
  CHECK(has_cpu_feature("fma") == static_cast<bool>(__builtin_cpu_supports("fma")));
  CHECK(has_cpu_feature("sse4.2") == static_cast<bool>(__builtin_cpu_supports("sse4.2")));
  CHECK(has_cpu_feature("avx512f") == static_cast<bool>(__builtin_cpu_supports("avx512f")));
#endif
  return bindrt::testing::finish();
}
