// Opens media files, and reads packets of them.
#include "csrc/video/container.h"

#include <algorithm>
#include <cstdio>

namespace bindrt::video {
namespace {

constexpr int kIoBytes = 1 << 16;

}  // namespace

std::unique_ptr<Container> Container::open(const Ffmpeg& library, const audio::Input& input,
                                           const char* demuxer) {
  std::unique_ptr<Container> made(new Container(library, input));
  return made->open(demuxer) ? std::move(made) : nullptr;
}

Container::~Container() {
  if (format_ != nullptr) {
    library_.close_input(&format_);
  }
  if (io_ != nullptr) {
    library_.free(io_->buffer);  // FFmpeg may have taken another one than we gave
    library_.free_io(&io_);
  }
}

bool Container::open(const char* demuxer) noexcept {
  auto* const buffer = static_cast<std::uint8_t*>(library_.allocate(kIoBytes));
  io_ = buffer == nullptr ? nullptr
                          : library_.new_io(buffer, kIoBytes, 0, this, &Container::read_bytes, nullptr,
                                            &Container::seek_bytes);
  if (io_ == nullptr) {
    library_.free(buffer);
    return false;
  }
  AvFormat* format = library_.new_format();
  if (format == nullptr) {
    return false;
  }
  format->io = io_;
  AvOptions* options = nullptr;
  library_.set_text(&options, "fflags", "+genpts", 0);  // as PyAV does
  const int opened = library_.open_input(&format, "", library_.find_demuxer(demuxer), &options);
  library_.free_options(&options);
  if (opened < 0) {  // the format is freed
    return false;
  }
  format_ = format;
  return library_.find_streams(format_, nullptr) >= 0 && is_known();
}

// Whether the structures look as they should.
bool Container::is_known() const noexcept {
  for (unsigned i = 0; i < format_->stream_count; ++i) {
    const AvStream* const stream = format_->streams[i];
    if (stream == nullptr || stream->index != static_cast<int>(i) || stream->parameters == nullptr ||
        !stream->time_base.is_positive()) {
      return false;
    }
  }
  return format_->io == io_ && format_->stream_count > 0;
}

const AvStream* Container::video() const noexcept {
  const AvStream* found = nullptr;
  for (unsigned i = 0; i < format_->stream_count; ++i) {
    const AvStream* const stream = format_->streams[i];
    if (stream->parameters->type == kVideoStream) {
      if (found != nullptr || (stream->disposition & kCoverPicture) != 0) {
        return nullptr;
      }
      found = stream;
    }
  }
  return found;
}

double Container::seconds() const noexcept {
  return format_->duration == kNoTime ? 0.0 : static_cast<double>(format_->duration) / 1e6;
}

Container::Got Container::read(Packet& to) noexcept {
  to.clear();
  const int answer = library_.read(format_, to.get());
  if (answer < 0) {
    return answer == kEndOfFile ? Got::kEnd : Got::kError;
  }
  const bool is_known = to.get()->stream >= 0 && to.get()->stream < static_cast<int>(format_->stream_count);
  return is_known ? Got::kPacket : Got::kError;
}

bool Container::seek(const AvStream& stream, std::int64_t time) noexcept {
  return library_.seek(format_, stream.index, time, kSeekBackward) >= 0;
}

int Container::read_bytes(void* user, std::uint8_t* to, int size) {
  auto& self = *static_cast<Container*>(user);
  const std::int64_t count = self.input_.read(self.at_, to, size);
  self.at_ += count;
  return count == 0 ? kEndOfFile : static_cast<int>(count);
}

std::int64_t Container::seek_bytes(void* user, std::int64_t at, int whence) {
  auto& self = *static_cast<Container*>(user);
  switch (whence & ~kSeekForce) {
    case kSeekSize:
      return self.input_.size();
    case SEEK_SET:
      break;
    case SEEK_CUR:
      at += self.at_;
      break;
    case SEEK_END:
      at += self.input_.size();
      break;
    default:
      return -1;
  }
  if (at < 0) {
    return -1;
  }
  self.at_ = at;
  return at;
}

}  // namespace bindrt::video
