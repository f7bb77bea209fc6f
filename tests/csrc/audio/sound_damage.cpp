// Sound files, whole, cut and changed, through the preparer: sound_damage LIBSNDFILE LIBAVCODEC CASES FILE
// ...
//
// Each FILE must be prepared; its damaged copies are prepared or left, whatever they are, by several threads
// at once. What is read outside a file's bytes, the address sanitizer sees.
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "csrc/audio/library.h"
#include "csrc/prepare/registry.h"
#include "kernels/mel/mel.h"
#include "tests/cpp/check.h"
#include "tests/cpp/damage.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using Sound = std::vector<std::byte>;

constexpr std::int64_t kView = std::int64_t{kernels::kMelBands} * kernels::kMelFrames;
constexpr int kThreads = 3;

class Rows final : public prepare::Slots {
 public:
  float* reserve(std::int64_t views) override {
    CHECK(views >= 1 && views <= 3);
    rows.assign(static_cast<std::size_t>(views * kView), std::nanf(""));
    return rows.data();
  }
  std::int64_t view_numbers() const override { return kView; }

  std::vector<float> rows;
};

// Whether the file was prepared; its numbers must then be those of a spectrum.
bool prepared(const Sound& file) {
  Exact<std::byte> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  prepare::Item item;
  item.source = prepare::Bytes{data.data(), file.size()};
  const prepare::Limits limits{1 << 24, 1 << 24, 60.0};
  Rows slots;
  if (!prepare::prepare_or_leave(&prepare::prepare_audio, item, limits, slots)) {
    return false;
  }
  const bool finite =
      std::all_of(slots.rows.begin(), slots.rows.end(), [](float x) { return std::isfinite(x); });
  CHECK(finite && !slots.rows.empty());
  return true;
}

// The cases of one thread; how many were left.
std::uint64_t run(const Sound& file, std::uint64_t cases, std::uint64_t seed) {
  std::uint64_t left = 0;
  CHECK(prepared(file));
  for (std::uint64_t done = 0; done < cases; ++done) {
    std::array<std::uint8_t, 256> choices;
    std::mt19937_64 random(seed * 1'000'003 + done);
    for (std::uint8_t& choice : choices) {
      choice = static_cast<std::uint8_t>(random() >> 32);
    }
    Bytes bytes(choices.data(), choices.size());
    left += prepared(damaged(file, bytes, 200, 40)) ? 0 : 1;
  }
  return left;
}

}  // namespace
}  // namespace bindrt::stress

int main(int argc, char** argv) {
  using namespace bindrt;
  const bool loaded = argc > 4 && dlopen(argv[1], RTLD_NOW) != nullptr && audio::use_libsndfile(argv[1]) &&
                      dlopen(argv[2], RTLD_NOW) != nullptr && audio::use_libavcodec(argv[2]);
  if (!loaded) {
    std::fprintf(stderr, "sound_damage LIBSNDFILE LIBAVCODEC CASES FILE ...: too few, or not loaded\n");
    return 2;
  }
  const std::uint64_t cases = std::strtoull(argv[3], nullptr, 10);
  std::atomic<std::uint64_t> left{0};
  for (int i = 4; i < argc; ++i) {
    const stress::Sound file = stress::contents<std::byte>(argv[i]);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < stress::kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        const std::uint64_t some = (cases + stress::kThreads - 1) / stress::kThreads;
        left += stress::run(file, some, static_cast<std::uint64_t>(i * stress::kThreads + thread));
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  CHECK(cases == 0 || left.load() > 0);
  std::printf("%llu left\n", static_cast<unsigned long long>(left.load()));
  return testing::finish();
}
