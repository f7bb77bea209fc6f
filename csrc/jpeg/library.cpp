// Looks up the functions of the libjpeg-turbo that this process has loaded.
#include "csrc/jpeg/library.h"

#include <dlfcn.h>

namespace bindrt::jpeg {
namespace {

template <class Function>
bool look_up(void* module, const char* name, Function*& function) noexcept {
  function = reinterpret_cast<Function*>(dlsym(module, name));
  return function != nullptr;
}

}  // namespace

bool Library::find(const char* path) noexcept {
  // Already loaded, or not at all; it is never closed, so the functions stay.
  void* const module = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  return module != nullptr && look_up(module, "jpeg_std_error", std_error) &&
         look_up(module, "jpeg_CreateDecompress", create) &&
         look_up(module, "jpeg_destroy_decompress", destroy) &&
         look_up(module, "jpeg_read_header", read_header) &&
         look_up(module, "jpeg_start_decompress", start) &&
         look_up(module, "jpeg_finish_decompress", finish) &&
         look_up(module, "jpeg_read_scanlines", read_rows) &&
         look_up(module, "jpeg_skip_scanlines", skip_rows) &&
         look_up(module, "jpeg_crop_scanline", crop_columns) &&
         look_up(module, "jpeg_resync_to_restart", resync_to_restart);
}

}  // namespace bindrt::jpeg
