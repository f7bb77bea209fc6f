// Which JPEG 2000 files all decoders make the same of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/base/decoded.h"

namespace bindrt::prepare {

// The picture of a file with three colours of 8 bits, red, green and blue or unnamed, each with a sample for
// every pixel: a codestream, or one in a JP2 file without a palette, a profile or channels of another
// meaning. Its headers use only what every decoder knows, and all its tiles are there, to the end of the last
// one; whether their data are good, only decoding shows. nullopt: another file.
std::optional<kernels::EncodedPicture> common_jpeg2000(const std::uint8_t* data, std::size_t size) noexcept;

}  // namespace bindrt::prepare
