// The grey values of a picture: of one that is stored as grey, or as colours that are alike.
#pragma once

#include <cstdint>

#include "kernels/image/image.h"

namespace bindrt::prepare {

// Reads all rows of a picture of this size and layout, 8 bits a sample, to `out` [height, width]. False if
// the source fails, or the picture has colours; the channels of a grey JPEG differ a little.
bool read_grey(kernels::RowSource& source, kernels::PixelLayout layout, std::int32_t width,
               std::int32_t height, std::uint8_t* out) noexcept;

}  // namespace bindrt::prepare
