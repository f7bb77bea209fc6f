// The functions of the libjpeg-turbo that another module of this process has loaded.
#pragma once

#include "csrc/jpeg/abi.h"

namespace bindrt::jpeg {

struct Library {
  ErrorManager* (*std_error)(ErrorManager*);
  void (*create)(Decompress*, int version, std::size_t size);
  void (*destroy)(Decompress*);
  int (*read_header)(Decompress*, int require_image);
  int (*start)(Decompress*);
  int (*finish)(Decompress*);
  unsigned int (*read_rows)(Decompress*, std::uint8_t** rows, unsigned int count);
  unsigned int (*skip_rows)(Decompress*, unsigned int count);
  void (*crop_columns)(Decompress*, unsigned int* first, unsigned int* count);
  int (*resync_to_restart)(Decompress*, int);

  // Looks them up in the loaded module at `path` and what it depends on; false if one is missing.
  bool find(const char* path) noexcept;
};

}  // namespace bindrt::jpeg
