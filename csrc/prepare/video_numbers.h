// The numbers of videos' clips that both ways of preparing share.
#pragma once

#include <cstdint>

namespace bindrt::prepare {

inline constexpr std::int32_t kVideoClips = 5;
inline constexpr std::int32_t kVideoClipSeconds = 2;
inline constexpr std::int32_t kVideoFrames = 2;  // of a clip: the first and the last

}  // namespace bindrt::prepare
