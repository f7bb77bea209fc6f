// Finds the frames of an MP3.
#include "csrc/audio/mp3_frames.h"

#include <algorithm>
#include <cstring>

namespace bindrt::audio {
namespace {

constexpr std::int64_t kLate = 529;  // samples by which every decoder of layer 3 is late

std::uint32_t big(ByteSpan bytes, std::size_t at, std::size_t count) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | bytes[at + i];
  }
  return value;
}

bool stands(ByteSpan bytes, std::size_t at, const char* name) noexcept {
  return bytes.size() >= at + 4 && std::memcmp(bytes.data() + at, name, 4) == 0;
}

// What a Xing or VBRI header says, which stands in place of a frame.
struct Promise {
  std::uint32_t frames = 0;  // 0: nothing
  std::int64_t skip = 0;
  std::int64_t drop = 0;
};

std::optional<Promise> promise_of(const FrameHeader& header, ByteSpan frame) noexcept {
  std::size_t at = 4 + static_cast<std::size_t>(header.side_info());
  if ((stands(frame, at, "Xing") || stands(frame, at, "Info")) && frame.size() >= at + 12) {
    const std::uint32_t flags = frame[at + 7];
    at += 8;
    Promise promise;
    promise.frames = (flags & 1) != 0 ? big(frame, at, 4) : 0;
    at += ((flags & 1) != 0 ? 4U : 0U) + ((flags & 2) != 0 ? 4U : 0U) + ((flags & 4) != 0 ? 100U : 0U) +
          ((flags & 8) != 0 ? 4U : 0U);
    const bool tells = stands(frame, at, "LAME") || stands(frame, at, "Lavf") || stands(frame, at, "Lavc");
    if (tells && frame.size() >= at + 24) {
      const std::uint32_t ends = big(frame, at + 21, 3);
      promise.skip = (ends >> 12) + kLate;
      promise.drop = std::max<std::int64_t>((ends & 4095) - kLate, 0);
    }
    return promise;
  }
  if (stands(frame, 36, "VBRI") && frame.size() >= 54) {
    return Promise{big(frame, 50, 4), 0, 0};
  }
  return std::nullopt;
}

// Whether only tags and zeros stand from `at` to the end.
bool only_tags(ByteSpan bytes, std::size_t at) noexcept {
  while (at < bytes.size()) {
    if (const std::size_t length = tag_length(bytes.subspan(at))) {
      at += length;
    } else if (bytes[at] == 0) {
      ++at;
    } else {
      return false;
    }
  }
  return true;
}

// Whether a frame like the first begins at `at`; then it is in `header`.
bool next_frame(ByteSpan bytes, std::size_t at, const FrameHeader& first, FrameHeader& header) noexcept {
  const auto found = frame_header(bytes, at);
  if (!found || !found->follows(first)) {
    return false;
  }
  header = *found;
  return true;
}

}  // namespace

std::optional<Mp3Frames> find_frames(ByteSpan bytes) {
  std::size_t at = sound_start(bytes);
  if (bytes.size() > UINT32_MAX || !begins_frames(bytes, at)) {
    return std::nullopt;
  }
  Mp3Frames found;
  found.header = *frame_header(bytes, at);
  if (found.header.layer != 3) {
    return std::nullopt;
  }
  std::optional<Promise> promise;
  FrameHeader header;
  while (next_frame(bytes, at, found.header, header)) {
    const auto length = static_cast<std::size_t>(header.length);
    if (header.channels != found.header.channels || length > bytes.size() - at || length <= 4) {
      return std::nullopt;
    }
    const auto told = promise_of(header, bytes.subspan(at, length));
    if (!told) {
      found.at.push_back(static_cast<std::uint32_t>(at));
    } else if (promise || !found.at.empty()) {
      return std::nullopt;  // another recording follows
    } else {
      promise = told;
    }
    at += length;
  }
  found.at.push_back(static_cast<std::uint32_t>(at));
  if (promise) {
    found.skip = promise->skip;
    found.drop = promise->drop;
    if (promise->frames != 0 && promise->frames != found.count()) {
      return std::nullopt;
    }
  }
  if (found.count() < 1 || found.samples() < 1 || !only_tags(bytes, at)) {
    return std::nullopt;
  }
  return found;
}

}  // namespace bindrt::audio
