// Keeps the decoders' libraries for the life of the process.
#include "csrc/audio/library.h"

#include <atomic>
#include <memory>

namespace bindrt::audio {
namespace {

template <class Library>
class Used {
 public:
  bool use(const char* path) {
    if (get() == nullptr) {
      auto found = std::make_unique<Library>();
      const Library* none = nullptr;
      if (found->find(path) && library_.compare_exchange_strong(none, found.get())) {
        static_cast<void>(found.release());  // for ever: threads read with it until the process ends
      }
    }
    return get() != nullptr;
  }

  const Library* get() const noexcept { return library_.load(std::memory_order_acquire); }

 private:
  std::atomic<const Library*> library_{nullptr};
};

constinit Used<SndLibrary> sndfile;
constinit Used<AvLibrary> avcodec;

}  // namespace

bool use_libsndfile(const char* path) { return sndfile.use(path); }
bool use_libavcodec(const char* path) { return avcodec.use(path); }
const SndLibrary* libsndfile() noexcept { return sndfile.get(); }
const AvLibrary* libavcodec() noexcept { return avcodec.get(); }

}  // namespace bindrt::audio
