// Speed of the native engine's products: bench_products [KERNEL [THREADS [ROWS...]]].
//
// Every shape has sixteen weights that are used in turn, as the blocks of an encoder are, so that none is in
// a cache when it is used again. For few rows the limit is the memory: the last column is how fast weights
// are read, and "read" how fast the same threads read them and do nothing else.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "csrc/native/product/product.h"

namespace {

using namespace bindrt::native;

constexpr int kWeights = 16;
constexpr std::int64_t kGrain = 4;  // panels that a thread takes at once

struct Shape {
  std::int64_t inputs, outputs;
};
constexpr Shape kLarge[] = {{1280, 3840}, {1280, 1280}, {1280, 5120}, {5120, 1280}};  // vision's
constexpr Shape kSmall[] = {{1024, 3072}, {1024, 1024}, {1024, 4096}, {4096, 1024}};  // text's

// Bytes of some numbers, aligned to 64.
class Memory {
 public:
  explicit Memory(std::int64_t bytes)
      : bytes_(static_cast<std::size_t>(bytes)), data_(::operator new(bytes_, std::align_val_t{64})) {
    std::memset(data_, 1, bytes_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { ::operator delete(data_, std::align_val_t{64}); }
  void* data() const { return data_; }

 private:
  std::size_t bytes_;
  void* data_;
};

// Calls `body` with every piece of `count`, each once, on this thread and others; returns when all are done.
void shared_out(int threads, std::int64_t count, const std::function<void(std::int64_t)>& body) {
  std::atomic<std::int64_t> next{0};
  const auto work = [&] {
    for (std::int64_t i = next++; i < count; i = next++) {
      body(i);
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) {
    others.emplace_back(work);
  }
  work();
  for (std::thread& other : others) {
    other.join();
  }
}

// Seconds of the fastest of some calls.
double fastest(const std::function<void()>& call) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

void measure(const ProductKernel& kernel, const Shape& shape, std::int64_t rows, int threads) {
  const Numbers numbers = kernel.numbers;
  const std::int64_t columns = panels_of(shape.outputs) * kPanel;
  const std::int64_t bytes = packed_bytes(numbers, shape.inputs, shape.outputs);
  const std::int64_t stride = (padded_inputs(numbers, shape.inputs) * bytes_of(numbers) + 63) / 64 * 64;
  const Memory weights(kWeights * bytes), activations(rows * stride), results(rows * shape.outputs * 4);
  const std::vector<float> ones(static_cast<std::size_t>(std::max(columns, rows)), 1.0F);
  const std::vector<std::int32_t> zeros(static_cast<std::size_t>(columns));

  const std::int64_t chunk = std::min(rows, kernel.good_rows(shape.inputs));
  const std::int64_t chunks = (rows + chunk - 1) / chunk;
  const std::int64_t parts = (panels_of(shape.outputs) + kGrain - 1) / kGrain;
  const auto weight_of = [&](std::int64_t i) {
    return static_cast<std::uint8_t*>(weights.data()) + i * bytes;
  };

  const double seconds = fastest([&] {
    shared_out(threads, kWeights * chunks * parts, [&](std::int64_t i) {
      const PackedWeight weight{numbers,     shape.inputs, shape.outputs, weight_of(i / (chunks * parts)),
                                ones.data(), ones.data(),  zeros.data()};
      const std::int64_t row = i / parts % chunks * chunk;
      const std::int64_t first = i % parts * kGrain;
      const Activations from{static_cast<std::uint8_t*>(activations.data()) + row * stride, stride,
                             ones.data()};
      float* const to = static_cast<float*>(results.data()) + row * shape.outputs;
      kernel.run(weight, from, std::min(chunk, rows - row), first,
                 std::min(first + kGrain, panels_of(shape.outputs)),
                 {to, shape.outputs, false, After::kStore});
    });
  });
  const double read = fastest([&] {
    std::atomic<std::uint64_t> total{0};
    shared_out(threads, kWeights * parts, [&](std::int64_t i) {
      const auto* const from = reinterpret_cast<const std::uint64_t*>(weight_of(0) + i * (bytes / parts));
      std::uint64_t sums[8] = {};
      for (std::int64_t at = 0; at + 8 <= bytes / parts / 8; at += 8) {
        for (int lane = 0; lane < 8; ++lane) {
          sums[lane] ^= from[at + lane];
        }
      }
      for (const std::uint64_t sum : sums) {
        total += sum;
      }
    });
  });
  const double all = static_cast<double>(kWeights);
  std::printf("%-12s %4s %5lld × %4lld → %4lld  %d threads %8.1f GF/s  weights %6.1f GB/s  read %6.1f GB/s\n",
              kernel.name,
              numbers == Numbers::kFloat32 ? "fp32"
              : numbers == Numbers::kBf16  ? "bf16"
                                           : "int8",
              static_cast<long long>(rows), static_cast<long long>(shape.inputs),
              static_cast<long long>(shape.outputs), threads,
              2e-9 * all * static_cast<double>(rows * shape.inputs * shape.outputs) / seconds,
              1e-9 * all * static_cast<double>(bytes) / seconds,
              1e-9 * all * static_cast<double>(bytes) / read);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "";
  const int threads = argc > 2 ? std::atoi(argv[2]) : static_cast<int>(std::thread::hardware_concurrency());
  std::vector<std::int64_t> all_rows;
  for (int i = 3; i < argc; ++i) {
    all_rows.push_back(std::atoll(argv[i]));
  }
  if (all_rows.empty()) {
    all_rows = {10, 257, 2056};
  }
  for (const ProductKernel& kernel : product_kernels()) {
    const std::string name = kernel.name;
    if (!kernel.available() || (wanted.empty() ? name == "portable" : name != wanted)) {
      continue;
    }
    for (const std::int64_t rows : all_rows) {
      for (const Shape& shape : rows <= 32 ? kSmall : kLarge) {
        measure(kernel, shape, rows, std::max(threads, 1));
      }
    }
  }
}
