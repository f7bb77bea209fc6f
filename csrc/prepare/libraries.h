// The decoders' libraries that this process has loaded, once somebody has named them.
#pragma once

#include "csrc/jpeg/library.h"
#include "csrc/png/library.h"

namespace bindrt::prepare {

// Null until it is named, and where there is none; then its files are left to Python.
const jpeg::Library* jpeg_library() noexcept;
const png::Library* png_library() noexcept;

// The first one named is used from then on, by all threads.
void use(const jpeg::Library& library);
void use(const png::Library& library);

}  // namespace bindrt::prepare
