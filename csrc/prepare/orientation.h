// Which way up a picture was taken, as its EXIF or XMP data has it: 1 to 8, where 1 is upright.
#pragma once

#include <string_view>

namespace bindrt::prepare {

// The orientation in the tags of EXIF, which are laid out as in a TIFF, else in XMP; 1 if there is none, or
// they are damaged.
int find_orientation(std::string_view exif, std::string_view xmp) noexcept;

}  // namespace bindrt::prepare
