// Looks up the functions of the libjpeg-turbo that this process has loaded.
#include "csrc/jpeg/library.h"

#include "kernels/base/loaded_module.h"

namespace bindrt::jpeg {

bool Library::find(const char* path) noexcept {
  const kernels::LoadedModule module(path);
  return module.find("jpeg_std_error", std_error) && module.find("jpeg_CreateDecompress", create) &&
         module.find("jpeg_destroy_decompress", destroy) && module.find("jpeg_read_header", read_header) &&
         module.find("jpeg_start_decompress", start) && module.find("jpeg_finish_decompress", finish) &&
         module.find("jpeg_read_scanlines", read_rows) && module.find("jpeg_skip_scanlines", skip_rows) &&
         module.find("jpeg_crop_scanline", crop_columns) &&
         module.find("jpeg_resync_to_restart", resync_to_restart);
}

}  // namespace bindrt::jpeg
