// Keeps the library for the life of the process, and the conversions that were tried.
#include "csrc/video/library.h"

#include <map>
#include <mutex>
#include <shared_mutex>

#include "kernels/base/loaded_module.h"

namespace bindrt::video {
namespace {

constexpr std::size_t kMostKept = 1024;
constexpr int kPeriod = 64;  // pixels past a multiple of the SIMD width may be converted by other code

constinit kernels::LibraryInUse<Ffmpeg> in_use;

// Waits for nobody: in a forked child a thread that held the lock is gone. What is not found is left to
// Python.
class Conversions {
 public:
  void keep(const FrameFormat& of, const Conversion& conversion) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock && kept_.size() < kMostKept) {
      kept_.emplace(of, conversion);
    }
  }

  std::optional<Conversion> find(const FrameFormat& of) const {
    const std::shared_lock lock(mutex_, std::try_to_lock);
    if (!lock) {
      return std::nullopt;
    }
    const auto found = kept_.find(of);
    return found == kept_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::shared_mutex mutex_;
  std::map<FrameFormat, Conversion> kept_;
};

// Never destroyed: a thread may still decode when the process ends.
Conversions& conversions() {
  static auto* const all = new Conversions;
  return *all;
}

}  // namespace

bool use_ffmpeg(const char* path) {
  Ffmpeg found;
  if (in_use.get() == nullptr && found.find(path)) {
    in_use.use(found);
  }
  return in_use.get() != nullptr;
}

const Ffmpeg* ffmpeg() noexcept { return in_use.get(); }

int FrameFormat::of_size(int size) noexcept { return size >= 2 * kPeriod ? kPeriod + size % kPeriod : size; }

FrameFormat FrameFormat::of(const AvFrame& frame, const char* name) {
  return {name,
          of_size(frame.width),
          of_size(frame.height),
          frame.colorspace,
          frame.color_range,
          frame.color_trc,
          frame.color_primaries};
}

void keep_conversion(const FrameFormat& of, const Conversion& conversion) {
  conversions().keep(of, conversion);
}

std::optional<Conversion> conversion(const FrameFormat& of) { return conversions().find(of); }

}  // namespace bindrt::video
