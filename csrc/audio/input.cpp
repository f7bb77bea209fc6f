// Reads a sound file's bytes.
#include "csrc/audio/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace bindrt::audio {

Input::Input(std::span<const std::byte> bytes) noexcept
    : size_(static_cast<std::int64_t>(bytes.size())), bytes_(bytes.data()) {}

std::optional<Input> Input::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not block
  if (file < 0) {
    return std::nullopt;
  }
  struct stat about = {};
  const bool usual = fstat(file, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0;
  Input input(file, about.st_size);
  if (!usual) {
    return std::nullopt;
  }
  return input;
}

Input::Input(Input&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      bytes_(other.bytes_),
      held_(std::move(other.held_)) {}

Input::~Input() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

std::int64_t Input::read(std::int64_t at, void* to, std::int64_t count) const noexcept {
  const std::int64_t most = std::min(count, size_ - at);
  if (at < 0 || most <= 0) {
    return 0;
  }
  if (bytes_ != nullptr) {
    std::memcpy(to, bytes_ + at, static_cast<std::size_t>(most));
    return most;
  }
  std::int64_t done = 0;
  while (done < most) {
    const ssize_t some =
        pread(file_, static_cast<std::byte*>(to) + done, static_cast<std::size_t>(most - done), at + done);
    if (some == 0 || (some < 0 && errno != EINTR)) {
      break;
    }
    done += std::max<ssize_t>(some, 0);
  }
  return done;
}

std::optional<std::span<const std::byte>> Input::hold() {
  if (bytes_ == nullptr) {
    auto room = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(size_));
    if (read(0, room.get(), size_) != size_) {
      return std::nullopt;
    }
    held_ = std::move(room);
    bytes_ = held_.get();
  }
  return std::span(bytes_, static_cast<std::size_t>(size_));
}

}  // namespace bindrt::audio
