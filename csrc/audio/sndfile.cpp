// Opens sound files with libsndfile, and reads what is wanted of them.
#include "csrc/audio/sndfile.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <memory>

namespace bindrt::audio {
namespace {

using kernels::AudioView;
using kernels::SampleType;

constexpr std::int64_t kMostFrames = std::int64_t{1} << 40;
constexpr int kMostChannels = 1024;

template <class Function>
bool look_up(void* module, const char* name, Function*& function) noexcept {
  function = reinterpret_cast<Function*>(dlsym(module, name));
  return function != nullptr;
}

// The position at which libsndfile reads an input.
struct Cursor {
  const Input* input;
  std::int64_t at;
};

Cursor& of(void* user) noexcept { return *static_cast<Cursor*>(user); }

std::int64_t length(void* user) { return of(user).input->size(); }

std::int64_t seek(std::int64_t offset, int whence, void* user) {
  Cursor& cursor = of(user);
  const std::int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? cursor.at : cursor.input->size();
  std::int64_t to = 0;
  if (!__builtin_add_overflow(from, offset, &to) && to >= 0) {  // else it stays where it is
    cursor.at = to;
  }
  return cursor.at;
}

std::int64_t read(void* to, std::int64_t count, void* user) {
  Cursor& cursor = of(user);
  const std::int64_t done = cursor.input->read(cursor.at, to, count);
  cursor.at += done;
  return done;
}

std::int64_t write(const void*, std::int64_t, void*) { return 0; }

std::int64_t tell(void* user) { return of(user).at; }

SndVirtual callbacks = {&length, &seek, &read, &write, &tell};

// How samples of a codec are read: integers as they are.
SampleType type_of(int codec) noexcept {
  switch (codec) {
    case kSndPcmS8:
    case kSndPcmU8:
    case kSndPcm16:
      return SampleType::kInt16;
    case kSndPcm24:
    case kSndPcm32:
      return SampleType::kInt32;
    default:
      return SampleType::kFloat32;
  }
}

bool is_usual(SoundFormat format, int found) noexcept {
  const int type = found & kSndTypes;
  const int codec = found & kSndCodecs;
  switch (format) {
    case SoundFormat::kWav:
      return (type == kSndWav || type == kSndWavex) &&
             ((codec >= kSndPcmS8 && codec <= kSndDouble) || codec == kSndUlaw || codec == kSndAlaw);
    case SoundFormat::kFlac:
      return type == kSndFlac;
    case SoundFormat::kOgg:
      return type == kSndOgg && (codec == kSndVorbis || codec == kSndOpus);
  }
  return false;
}

class Sound final : public Recording {
 public:
  Sound(const SndLibrary& library, const Input& input) noexcept : library_(library), cursor_{&input, 0} {}

  ~Sound() override {
    if (file_ != nullptr) {
      library_.close(file_);
    }
  }

  Sound(const Sound&) = delete;
  Sound& operator=(const Sound&) = delete;

  bool open(SoundFormat format) noexcept {
    SndInfo info{};
    file_ = library_.open(&callbacks, kSndRead, &info, &cursor_);
    if (file_ == nullptr || !is_usual(format, info.format) || info.seekable == 0 || info.frames < 1 ||
        info.frames > kMostFrames || info.channels < 1 || info.channels > kMostChannels) {
      return false;
    }
    library_.command(file_, kSndSetClipping, nullptr, 1);
    rate = info.samplerate;
    frames = info.frames;
    decoded = info.frames;
    channels = info.channels;
    type_ = type_of(info.format & kSndCodecs);
    // FLAC too, but its damage is only seen by who reads it.
    seeks_exactly_ = format != SoundFormat::kOgg && type_ != SampleType::kFloat32;
    // libsndfile is asked for its position after each block: a lossy codec begins anew there.
    begins_anew_ = format == SoundFormat::kOgg;
    return true;
  }

  bool read(std::span<const Range> wanted, const Take& take) override {
    if (library_.seek(file_, 0, SEEK_SET) != 0) {
      return false;
    }
    if (is_one_block()) {
      return read_block(frames + 1) == frames && take(view(0, frames));
    }
    std::int64_t at = 0;
    for (;;) {
      std::int64_t count = kBlock;
      if (seeks_exactly_ && !to_next(wanted, at, count)) {
        return false;
      }
      const std::int64_t done = read_block(count);
      if (done < 0 || (done > 0 && !take(view(at, done)))) {
        return false;
      }
      at += done;
      if (done < count) {
        return true;
      }
      if (begins_anew_ && library_.seek(file_, at, SEEK_SET) != at) {
        return false;
      }
    }
  }

 private:
  // Seeks to the next sample that is wanted from `at` on, and says how many to read there.
  bool to_next(std::span<const Range> wanted, std::int64_t& at, std::int64_t& count) noexcept {
    std::int64_t start = -1;
    std::int64_t stop = -1;
    for (const Range& range : wanted) {
      if (range.end > at && (start < 0 || std::max(range.begin, at) < start)) {
        start = std::max(range.begin, at);
      }
    }
    start = std::max(start, at);
    for (const Range& range : wanted) {
      if (range.end > at && range.begin <= start && (stop < 0 || range.end < stop)) {
        stop = range.end;
      }
    }
    if (start > at && library_.seek(file_, start, SEEK_SET) != start) {
      return false;
    }
    at = start;
    count = stop < 0 ? kBlock : std::min(stop - start, kBlock);
    return count > 0;
  }

  // The number of samples read into `block_`; -1 if the file is damaged.
  std::int64_t read_block(std::int64_t count) {
    const std::size_t each = type_ == SampleType::kInt16 ? 2 : 4;
    const auto room = static_cast<std::size_t>(count * channels) * each;
    if (room > room_) {
      block_ = std::make_unique_for_overwrite<std::byte[]>(room);
      room_ = room;
    }
    void* const to = block_.get();
    const std::int64_t done =
        type_ == SampleType::kInt16   ? library_.read_short(file_, static_cast<std::int16_t*>(to), count)
        : type_ == SampleType::kInt32 ? library_.read_int(file_, static_cast<std::int32_t*>(to), count)
                                      : library_.read_float(file_, static_cast<float*>(to), count);
    return library_.error(file_) != 0 || done > count ? -1 : done;
  }

  AudioView view(std::int64_t begin, std::int64_t count) const noexcept {
    AudioView found;
    found.samples = block_.get();
    found.type = type_;
    found.channels = channels;
    found.begin = begin;
    found.count = count;
    found.channel_stride = type_ == SampleType::kInt16 ? 2 : 4;
    found.sample_stride = found.channel_stride * channels;
    return found;
  }

  const SndLibrary& library_;
  Cursor cursor_;
  SndFile* file_ = nullptr;
  SampleType type_ = SampleType::kFloat32;
  bool seeks_exactly_ = false;
  bool begins_anew_ = false;
  std::unique_ptr<std::byte[]> block_;
  std::size_t room_ = 0;
};

}  // namespace

bool SndLibrary::find(const char* path) noexcept {
  // Already loaded, or not at all; it is never closed, so the functions stay.
  void* const module = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  return module != nullptr && look_up(module, "sf_open_virtual", open) &&
         look_up(module, "sf_close", close) && look_up(module, "sf_error", error) &&
         look_up(module, "sf_command", command) && look_up(module, "sf_seek", seek) &&
         look_up(module, "sf_readf_short", read_short) && look_up(module, "sf_readf_int", read_int) &&
         look_up(module, "sf_readf_float", read_float);
}

std::unique_ptr<Recording> open_sound(const SndLibrary& library, const Input& input, SoundFormat format) {
  auto sound = std::make_unique<Sound>(library, input);
  return sound->open(format) ? std::move(sound) : nullptr;
}

}  // namespace bindrt::audio
