// Which TIFF files all decoders make the same of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/base/decoded.h"

namespace bindrt::prepare {

// The picture of a file with one page of red, green and blue, 8 bits each and together, upright, in strips or
// tiles that are packed by LZW or Deflate, all of which lie in the file; whether their data are good, only
// decoding shows. nullopt: another file.
std::optional<kernels::EncodedPicture> common_tiff(const std::uint8_t* data, std::size_t size) noexcept;

}  // namespace bindrt::prepare
