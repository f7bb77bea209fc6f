// Looks up the functions of the libavcodec that this process has loaded.
#include "csrc/audio/avcodec.h"

#include <dlfcn.h>

namespace bindrt::audio {
namespace {

template <class Function>
bool look_up(void* module, const char* name, Function*& function) noexcept {
  function = reinterpret_cast<Function*>(dlsym(module, name));
  return function != nullptr;
}

}  // namespace

bool AvLibrary::find(const char* path) noexcept {
  // Already loaded, or not at all; it is never closed, so the functions stay.
  void* const module = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  return module != nullptr && look_up(module, "avcodec_version", version) &&
         version() >> 16 >= kOldestAvcodec && version() >> 16 <= kNewestAvcodec &&
         look_up(module, "avcodec_find_decoder_by_name", find_decoder) &&
         look_up(module, "avcodec_alloc_context3", new_context) &&
         look_up(module, "avcodec_free_context", free_context) && look_up(module, "avcodec_open2", open) &&
         look_up(module, "avcodec_send_packet", send) && look_up(module, "avcodec_receive_frame", receive) &&
         look_up(module, "av_packet_alloc", new_packet) && look_up(module, "av_packet_free", free_packet) &&
         look_up(module, "av_frame_alloc", new_frame) && look_up(module, "av_frame_free", free_frame);
}

}  // namespace bindrt::audio
