// Sound files, whole, cut and changed, through the preparer: sound_damage LIBSNDFILE LIBAVCODEC CASES FILE
// ...
//
// Each FILE must be prepared; its damaged copies are prepared or left, whatever they are. What is read
// outside a file's bytes, the address sanitizer sees.
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <vector>

#include "csrc/audio/library.h"
#include "kernels/mel/mel.h"
#include "tests/csrc/prepare/damaged_files.h"

namespace bindrt::stress {
namespace {

constexpr std::int64_t kView = std::int64_t{kernels::kMelBands} * kernels::kMelFrames;
constexpr std::int64_t kMostViews = 3;
constexpr prepare::Limits kLimits{1 << 24, 1 << 24, 60.0};

bool is_taken(const Media& file) {
  return is_prepared(&prepare::prepare_audio, file, kLimits, Views(kMostViews, kView));
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
  std::vector<stress::Media> files;
  std::transform(argv + 4, argv + argc, std::back_inserter(files), stress::contents<std::byte>);
  const std::uint64_t left =
      stress::count_left(files, std::strtoull(argv[3], nullptr, 10), &stress::is_taken);
  std::printf("%llu left\n", static_cast<unsigned long long>(left));
  return testing::finish();
}
