// Video files, whole, cut and changed, through the preparer: video_damage MODULE CASES FILE ...
//
// MODULE is loaded, and with it FFmpeg. Each FILE must be prepared; its damaged copies are prepared or left,
// whatever they are, by several threads at once. So are the sound tracks of those that have one.
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "csrc/prepare/registry.h"
#include "csrc/video/library.h"
#include "csrc/video/sound_track.h"
#include "kernels/video/video.h"
#include "tests/cpp/check.h"
#include "tests/cpp/damage.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using Video = std::vector<std::byte>;

constexpr std::int64_t kView = std::int64_t{3} * 2 * kernels::kPictureSide * kernels::kPictureSide;
constexpr int kThreads = 3;
constexpr int kSoundStream = 1;
constexpr int kSoundRate = 48'000;
constexpr int kBlock = 4096;
constexpr int kMostBlocks = 1000;

class Rows final : public prepare::Slots {
 public:
  float* reserve(std::int64_t views) override {
    CHECK(views >= 1 && views <= 15);
    rows.assign(static_cast<std::size_t>(views * kView), std::nanf(""));
    return rows.data();
  }
  std::int64_t view_numbers() const override { return kView; }

  std::vector<float> rows;
};

// Whether the file was prepared; all of its views must then be written.
bool prepared(const Video& file) {
  Exact<std::byte> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  prepare::Item item;
  item.source = prepare::Bytes{data.data(), file.size()};
  prepare::Limits limits{1 << 24, 1 << 20, 60.0};
  limits.max_picture_bytes = 1 << 26;
  limits.max_packets = 10'000;
  limits.max_pixels_per_byte = 20'000;
  Rows slots;
  if (!prepare::prepare_or_leave(&prepare::prepare_video, item, limits, slots)) {
    return false;
  }
  const bool finite =
      std::all_of(slots.rows.begin(), slots.rows.end(), [](float x) { return std::isfinite(x); });
  CHECK(finite && !slots.rows.empty());
  return true;
}

// Reads the sound track, if there is one; whether that was unusual.
bool is_unusual_sound(const Video& file) {
  Exact<std::byte> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  const audio::Input input(std::span<const std::byte>(data.data(), file.size()));
  const auto track = video::SoundTrack::open(*video::ffmpeg(), input, kSoundStream, kSoundRate, 10'000);
  if (track == nullptr) {
    return true;
  }
  auto next = video::SoundTrack::Next::kMore;
  for (int block = 0; next == video::SoundTrack::Next::kMore && block < kMostBlocks; ++block) {
    next = track->read(kBlock);
    for (const std::vector<float>& channel : track->channels()) {
      CHECK(static_cast<std::int64_t>(channel.size()) == track->samples());
    }
  }
  return next == video::SoundTrack::Next::kUnusual;
}

// The cases of one thread; how many were left.
std::uint64_t run(const Video& file, std::uint64_t cases, std::uint64_t seed, std::atomic<int>& sounds) {
  std::uint64_t left = 0;
  CHECK(prepared(file));
  const bool has_sound = !is_unusual_sound(file);
  sounds += has_sound ? 1 : 0;
  for (std::uint64_t done = 0; done < cases; ++done) {
    std::array<std::uint8_t, 256> choices;
    std::mt19937_64 random(seed * 1'000'003 + done);
    for (std::uint8_t& choice : choices) {
      choice = static_cast<std::uint8_t>(random() >> 32);
    }
    Bytes bytes(choices.data(), choices.size());
    const Video broken = damaged(file, bytes, 200, 40);
    left += prepared(broken) ? 0 : 1;
    if (has_sound) {
      is_unusual_sound(broken);
    }
  }
  return left;
}

// As if Python had tried what FFmpeg makes of small frames with any tags.
void keep_conversions(int width, int height) {
  for (const int colorspace : {0, 1, 2, 5, 6}) {
    for (const int range : {0, 1}) {
      for (const int curve : {0, 1, 2}) {
        for (const int primaries : {0, 1, 2}) {
          video::keep_conversion({"yuv420p", width, height, colorspace, range, curve, primaries},
                                 {kernels::PixelFormat::kYuv420p, kernels::YuvStandard::kBt601, false});
        }
      }
    }
  }
}

}  // namespace
}  // namespace bindrt::stress

int main(int argc, char** argv) {
  using namespace bindrt;
  void* const module = argc > 3 ? dlopen(argv[1], RTLD_LAZY) : nullptr;
  if (module == nullptr || !video::use_ffmpeg(argv[1])) {
    const char* const why = dlerror();
    std::fprintf(stderr, "video_damage MODULE CASES FILE ...: %s\n", why == nullptr ? "not loaded" : why);
    return 2;
  }
  reinterpret_cast<void (*)(int)>(dlsym(module, "av_log_set_level"))(-8);  // says nothing
  stress::keep_conversions(64, 48);
  const std::uint64_t cases = std::strtoull(argv[2], nullptr, 10);
  std::atomic<std::uint64_t> left{0};
  std::atomic<int> sounds{0};
  for (int i = 3; i < argc; ++i) {
    const stress::Video file = stress::contents<std::byte>(argv[i]);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < stress::kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        const std::uint64_t some = (cases + stress::kThreads - 1) / stress::kThreads;
        left += stress::run(file, some, static_cast<std::uint64_t>(i * stress::kThreads + thread), sounds);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  CHECK(cases == 0 || left.load() > 0);
  CHECK(sounds.load() > 0);
  std::printf("%llu left\n", static_cast<unsigned long long>(left.load()));
  return testing::finish();
}
