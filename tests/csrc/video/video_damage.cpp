// Video files, whole, cut and changed, through the preparer: video_damage MODULE CASES FILE ...
//
// MODULE is loaded, and with it FFmpeg. Each FILE must be prepared; its damaged copies are prepared or left,
// whatever they are. The sound tracks of those that have one are read as well.
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <span>
#include <vector>

#include "csrc/video/library.h"
#include "csrc/video/sound_track.h"
#include "kernels/video/video.h"
#include "tests/csrc/prepare/damaged_files.h"

namespace bindrt::stress {
namespace {

constexpr std::int64_t kView = std::int64_t{3} * 2 * kernels::kPictureSide * kernels::kPictureSide;
constexpr std::int64_t kMostViews = 15;
constexpr int kSoundStream = 1;
constexpr int kSoundRate = 48'000;
constexpr int kBlock = 4096;
constexpr int kMostBlocks = 1000;

prepare::Limits limits() {
  prepare::Limits limits{1 << 24, 1 << 20, 60.0};
  limits.max_picture_bytes = 1 << 26;
  limits.max_packets = 10'000;
  limits.max_pixels_per_byte = 20'000;
  return limits;
}

// Reads the sound track, if there is one; whether that was unusual.
bool is_unusual_sound(const Media& file) {
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

// Whether the video was prepared; its sound track is read as well, taken or not.
bool is_taken(const Media& file, std::atomic<int>& sounds) {
  sounds += is_unusual_sound(file) ? 0 : 1;
  return is_prepared(&prepare::prepare_video, file, limits(), Views(kMostViews, kView));
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
  std::vector<stress::Media> files;
  std::transform(argv + 3, argv + argc, std::back_inserter(files), stress::contents<std::byte>);
  std::atomic<int> sounds{0};
  const std::uint64_t left =
      stress::count_left(files, std::strtoull(argv[2], nullptr, 10),
                         [&](const stress::Media& file) { return stress::is_taken(file, sounds); });
  CHECK(sounds.load() > 0);
  std::printf("%llu left\n", static_cast<unsigned long long>(left));
  return testing::finish();
}
