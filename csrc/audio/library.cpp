// Keeps the decoders' libraries for the life of the process.
#include "csrc/audio/library.h"

#include "kernels/base/loaded_module.h"

namespace bindrt::audio {
namespace {

constinit kernels::LibraryInUse<SndLibrary> sndfile;
constinit kernels::LibraryInUse<AvLibrary> avcodec;

// Whether a library is in use; the one at `path` if there is none yet.
template <class Library>
bool use(kernels::LibraryInUse<Library>& in_use, const char* path) {
  Library found;
  if (in_use.get() == nullptr && found.find(path)) {
    in_use.use(found);
  }
  return in_use.get() != nullptr;
}

}  // namespace

bool use_libsndfile(const char* path) { return use(sndfile, path); }
bool use_libavcodec(const char* path) { return use(avcodec, path); }
const SndLibrary* libsndfile() noexcept { return sndfile.get(); }
const AvLibrary* libavcodec() noexcept { return avcodec.get(); }

}  // namespace bindrt::audio
