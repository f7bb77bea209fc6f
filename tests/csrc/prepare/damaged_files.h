// Files that must be prepared, and damaged copies of them, which may be left: by several threads at once.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "csrc/prepare/registry.h"
#include "tests/cpp/check.h"
#include "tests/cpp/damage.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {

using Media = std::vector<std::byte>;

// Up to `most` views, of numbers that are not finite until they are written.
class Views final : public prepare::Slots {
 public:
  Views(std::int64_t most, std::int64_t numbers) : most_(most), numbers_(numbers) {}

  float* reserve(std::int64_t views) override {
    CHECK(views >= 1 && views <= most_);
    rows_.assign(static_cast<std::size_t>(views * numbers_), std::numeric_limits<float>::quiet_NaN());
    return rows_.data();
  }
  std::int64_t view_numbers() const override { return numbers_; }
  bool are_written() const {
    return !rows_.empty() &&
           std::all_of(rows_.begin(), rows_.end(), [](float x) { return std::isfinite(x); });
  }

 private:
  std::int64_t most_;
  std::int64_t numbers_;
  std::vector<float> rows_;
};

// Whether the preparer took the file, whose bytes end where an allocation does; all views must then be
// written.
inline bool is_prepared(prepare::Preparer preparer, const Media& file, const prepare::Limits& limits,
                        Views views) {
  Exact<std::byte> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  prepare::Item item;
  item.source = prepare::Bytes{data.data(), file.size()};
  if (!prepare::prepare_or_leave(preparer, item, limits, views)) {
    return false;
  }
  CHECK(views.are_written());
  return true;
}

// A copy of the file, damaged as a seed says.
inline Media damaged_by(std::uint64_t seed, const Media& file) {
  std::array<std::uint8_t, 256> choices;
  std::mt19937_64 random(seed);
  std::generate(choices.begin(), choices.end(), [&] { return static_cast<std::uint8_t>(random() >> 32); });
  Bytes bytes(choices.data(), choices.size());
  return damaged(file, bytes, 200, 40);
}

// Gives each file whole, then `cases` damaged copies of it, to `is_taken`; returns how many copies were left.
// A whole file must be taken.
template <class IsTaken>
std::uint64_t count_left(const std::vector<Media>& files, std::uint64_t cases, IsTaken is_taken) {
  constexpr std::uint64_t kThreads = 3;
  constexpr std::uint64_t kSeeds = 1'000'003;  // between threads
  std::atomic<std::uint64_t> left{0};
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::vector<std::thread> threads;
    for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        CHECK(is_taken(files[i]));
        for (std::uint64_t done = 0; done < (cases + kThreads - 1) / kThreads; ++done) {
          left += is_taken(damaged_by((i * kThreads + thread) * kSeeds + done, files[i])) ? 0 : 1;
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  CHECK(cases == 0 || left.load() > 0);
  return left.load();
}

}  // namespace bindrt::stress
