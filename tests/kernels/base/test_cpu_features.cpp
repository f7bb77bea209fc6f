// The features that the processor is said to have.
#include <algorithm>
#include <string_view>
#include <thread>
#include <vector>

#include "kernels/base/cpu_features.h"
#include "tests/cpp/check.h"

namespace {

bool has(std::string_view name) {
  const auto& features = bindrt::kernels::cpu_features();
  return std::any_of(features.begin(), features.end(), [name](const bindrt::kernels::CpuFeature& feature) {
    return feature.name == name && feature.present;
  });
}

}  // namespace

int main() {
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {  // the first use may come from any thread
    workers.emplace_back([] { CHECK(&bindrt::kernels::cpu_features() == &bindrt::kernels::cpu_features()); });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  CHECK(!has("avx2") || has("avx"));
  CHECK(!has("avx512bw") || (has("avx512f") && has("avx2")));
#if defined(__x86_64__) || defined(__aarch64__)
  CHECK(!bindrt::kernels::cpu_features().empty());
#endif
#if defined(__GNUC__) && defined(__x86_64__)
  CHECK(has("avx2") == static_cast<bool>(__builtin_cpu_supports("avx2")));
  CHECK(has("fma") == static_cast<bool>(__builtin_cpu_supports("fma")));
  CHECK(has("sse4.2") == static_cast<bool>(__builtin_cpu_supports("sse4.2")));
  CHECK(has("avx512f") == static_cast<bool>(__builtin_cpu_supports("avx512f")));
#endif
  return bindrt::testing::finish();
}
