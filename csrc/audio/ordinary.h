// Whether a sound file is ordinary: one recording, whole, with a header that is right. Whatever else there is
// (several recordings one after the other, damage, sizes that were never written) is left to Python.
#pragma once

#include <cstddef>
#include <span>

#include "csrc/audio/input.h"

namespace bindrt::audio {

// A RIFF file of plain numbers whose chunk of samples lies inside the file.
bool is_ordinary_wav(const Input& input) noexcept;

// One FLAC recording; its frames are not looked at.
bool is_ordinary_flac(std::span<const std::byte> bytes) noexcept;

// One stream of Vorbis or Opus, whose pages are all there, in order and undamaged.
bool is_ordinary_ogg(std::span<const std::byte> bytes) noexcept;

}  // namespace bindrt::audio
