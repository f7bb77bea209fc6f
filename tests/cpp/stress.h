// What the stress programs share: choices made from bytes, and buffers that end where they say.
//
// A program defines `one_case`. stress_main.cpp calls it with random bytes, or libFuzzer with its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <random>

#include "kernels/base/dispatch.h"
#include "kernels/base/portable.h"
#include "tests/cpp/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define BINDRT_STRESS_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BINDRT_STRESS_ASAN
#endif
#endif
#if defined(BINDRT_STRESS_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace bindrt::stress {

// Decodes bytes to choices; zeros once there are no more.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::uint64_t bits(int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; i += 8) {
      value = value << 8 | (at_ < size_ ? data_[at_] : 0U);
      ++at_;
    }
    return value;
  }

  // Any number of [low, high], all as likely.
  std::int64_t range(std::int64_t low, std::int64_t high) {
    const auto span = static_cast<std::uint64_t>(high - low) + 1;
    return low + static_cast<std::int64_t>(bits(span > 0xFFFF ? 40 : 16) % span);
  }

  int number(int low, int high) { return static_cast<int>(range(low, high)); }

  // A number of [low, high], mostly close to low: as many below `low` + 2^k as from there to twice that.
  std::int64_t small(std::int64_t low, std::int64_t high) {
    std::int64_t top = low;
    for (std::int64_t reach = 1; top < high && bits(8) % 8 != 0; reach *= 2) {
      top = high - top > reach ? top + reach : high;
    }
    return range(low, top);
  }

  bool chance(int of) { return range(0, of - 1) == 0; }

  double real(double low, double high) {
    return low + (high - low) * (static_cast<double>(bits(32)) / 4294967295.0);
  }

  template <class T, std::size_t N>
  T one_of(const T (&choices)[N]) {
    return choices[range(0, static_cast<std::int64_t>(N) - 1)];
  }

  // For the contents of buffers, of which there are too many bytes to be chosen one by one.
  std::mt19937 random() { return std::mt19937(static_cast<std::uint32_t>(bits(32))); }

  kernels::OutType out_type() { return chance(2) ? kernels::OutType::kFloat32 : kernels::OutType::kFloat16; }

  // A level of this machine's, used from now on.
  void level() { kernels::limit_cpu_level(static_cast<kernels::CpuLevel>(number(0, 2))); }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

// `count` numbers whose end is the end of an allocation, at `shift` bytes from its beginning. With the
// address sanitizer no byte outside may be read or written, but up to seven before a shifted beginning;
// without it, `intact` tells whether what is before was written to.
template <class T>
class Exact {
 public:
  explicit Exact(std::int64_t count, std::int64_t shift = 0)
      : count_(static_cast<std::size_t>(count)), shift_(static_cast<std::size_t>(shift)) {
    memory_ = static_cast<std::uint8_t*>(std::malloc(shift_ + count_ * sizeof(T)));
    if (memory_ == nullptr && shift_ + count_ > 0) {
      throw std::bad_alloc();
    }
    std::memset(memory_, kCanary, shift_ + count_ * sizeof(T));
#if defined(BINDRT_STRESS_ASAN)
    ASAN_POISON_MEMORY_REGION(memory_, shift_ / 8 * 8);
#endif
  }
  Exact(const Exact&) = delete;
  Exact& operator=(const Exact&) = delete;
  ~Exact() {
#if defined(BINDRT_STRESS_ASAN)
    ASAN_UNPOISON_MEMORY_REGION(memory_, shift_);
#endif
    std::free(memory_);
  }

  T* data() { return reinterpret_cast<T*>(memory_ + shift_); }
  const T* data() const { return reinterpret_cast<const T*>(memory_ + shift_); }
  std::int64_t size() const { return static_cast<std::int64_t>(count_); }
  T& operator[](std::int64_t i) { return data()[i]; }
  const T& operator[](std::int64_t i) const { return data()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + count_; }

  bool intact() const {
#if defined(BINDRT_STRESS_ASAN)
    constexpr std::size_t kChecked = 8;
    const std::size_t from = shift_ / kChecked * kChecked;
#else
    const std::size_t from = 0;
#endif
    for (std::size_t i = from; i < shift_; ++i) {
      if (memory_[i] != kCanary) {
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr std::uint8_t kCanary = 0xA5;
  std::uint8_t* memory_;
  std::size_t count_;
  std::size_t shift_;
};

// A shift for an Exact of T: none as often as any that keeps T aligned.
template <class T>
std::int64_t shift_of(Bytes& bytes) {
  return bytes.chance(2) ? 0
                         : bytes.range(1, 64 / static_cast<std::int64_t>(alignof(T))) *
                               static_cast<std::int64_t>(alignof(T));
}

// Room for `count` results of a type, exactly.
struct Out {
  Out(kernels::OutType out_type, std::int64_t n, Bytes& bytes)
      : type(out_type), count(n), numbers(n * width(), bytes.chance(2) ? 0 : bytes.range(1, 16) * 4) {}

  std::int64_t width() const { return type == kernels::OutType::kFloat32 ? 4 : 2; }
  void* data() { return numbers.data(); }

  // The very same bits as what another call wrote.
  bool same(const Out& other) const {
    return count == other.count && type == other.type &&
           std::memcmp(numbers.data(), other.numbers.data(), static_cast<std::size_t>(numbers.size())) == 0;
  }

  // A number of kFloat32 output.
  float number(std::int64_t i) const {
    float value = 0;
    std::memcpy(&value, numbers.data() + 4 * i, 4);
    return value;
  }

  // Whether these halves are those of the numbers of another, which is of kFloat32.
  bool halves_of(const Out& full) const {
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint16_t half = 0;
      std::memcpy(&half, numbers.data() + 2 * i, 2);
      if (half != kernels::to_half(full.number(i))) {
        return false;
      }
    }
    return true;
  }

  kernels::OutType type;
  std::int64_t count;
  Exact<std::uint8_t> numbers;
};

// One random case of the op, from the bytes alone.
void one_case(Bytes& bytes);

}  // namespace bindrt::stress
