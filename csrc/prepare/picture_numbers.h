// The numbers of picture files that Python and C++ share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bindrt::prepare {

// The largest file that is read whole; Pillow reads larger ones piece by piece.
inline constexpr std::size_t kMostPictureBytes = std::size_t{64} << 20;
// The largest that is decoded into a batch, which waits for it: about 10 ms.
inline constexpr std::size_t kMostInPlace = std::size_t{1} << 20;
// About how many bytes are held for each pixel while Pillow decodes a JPEG, a PNG or a TIFF, and JPEG 2000.
inline constexpr double kHeldBytes = 9.5;
inline constexpr double kHeldJpeg2000 = 26;
// By which the channels of a picture may differ and still be grey: those of a JPEG do.
inline constexpr std::int32_t kChroma = 8;

}  // namespace bindrt::prepare
