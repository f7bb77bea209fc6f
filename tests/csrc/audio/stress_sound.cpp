// What looks at a sound file's bytes first, with headers that are nearly right.
#include <string>

#include "csrc/audio/flac_frames.h"
#include "csrc/audio/input.h"
#include "csrc/audio/mp3_frames.h"
#include "csrc/audio/ordinary.h"
#include "tests/cpp/stress.h"
#include "tests/csrc/audio/sound_files.h"

namespace bindrt::stress {

namespace {

using namespace bindrt::testing;

std::string text(Bytes& bytes, std::int64_t most) {
  std::string made;
  for (std::int64_t left = bytes.small(0, most); left > 0; --left) {
    made.push_back(static_cast<char>(bytes.bits(8)));
  }
  return made;
}

// A number as headers have it: small, or near a bound.
std::uint64_t size(Bytes& bytes) {
  const std::uint64_t bounds[] = {0, 1U << 16, 1U << 31, 0xFFFFFFFFU};
  return bytes.chance(2) ? bytes.bits(8) : bytes.one_of(bounds) + bytes.bits(8) - 128;
}

std::string some_wav(Bytes& bytes) {
  const char* const names[] = {"fmt ", "data", "LIST", "ds64"};
  const unsigned tags[] = {1, 3, 2, 0x55, 0xFFFE};
  std::string chunks;
  for (int left = bytes.number(0, 6); left > 0; --left) {
    switch (bytes.number(0, 3)) {
      case 0:
        chunks += wav_format(bytes.one_of(tags), bytes.one_of(tags));
        break;
      case 1:
        chunks += bytes.one_of(names) + little(size(bytes), 4) + text(bytes, 60);
        break;
      default:
        chunks += chunk(bytes.one_of(names), text(bytes, 60));
    }
  }
  return wav(chunks);
}

std::string some_ogg(Bytes& bytes) {
  const std::string heads[] = {"\1vorbis", "OpusHead", "Speex   ", ""};
  std::string file;
  const unsigned first = bytes.chance(4) ? static_cast<unsigned>(bytes.bits(32)) : 0;
  for (unsigned number = 0, count = static_cast<unsigned>(bytes.number(0, 5)); number < count; ++number) {
    std::vector<std::string> packets;
    for (int left = bytes.number(0, 3); left > 0; --left) {
      packets.push_back((number == 0 ? bytes.one_of(heads) : "") + text(bytes, 600));
    }
    file += ogg_page(number == 0 ? 2 : static_cast<unsigned>(bytes.number(0, 7)),
                     static_cast<unsigned>(bytes.number(0, 1)), first + number, packets);
  }
  return file;
}

std::string some_mp3(Bytes& bytes) {
  const unsigned headers[] = {0xFFFB9000, 0xFFFB90C0, 0xFFF38000, 0xFFFD9000, 0xFFFB9200};
  const std::string heads[] = {"Xing", "Info", "VBRI"};
  std::string file = bytes.chance(3) ? "ID3\4\0\0" + little(size(bytes), 4) + text(bytes, 30) : "";
  for (int left = bytes.number(0, 6); left > 0; --left) {
    const std::string promise = bytes.chance(3) ? xing(static_cast<std::uint32_t>(size(bytes)),
                                                       static_cast<std::uint32_t>(bytes.bits(12)),
                                                       static_cast<std::uint32_t>(bytes.bits(12)))
                                                : bytes.one_of(heads) + text(bytes, 40);
    file += mp3_frame(bytes.chance(2) ? "" : promise, bytes.one_of(headers));
  }
  const std::string tails[] = {"", "TAG", "APETAGEX" + text(bytes, 40), std::string(3, '\0'), "x"};
  return file + bytes.one_of(tails);
}

std::string some_flac(Bytes& bytes) {
  const unsigned seconds[] = {0xF8, 0xF8, 0xF8, 0xF9};
  std::string frames;
  const int count = bytes.number(0, 4);
  for (int i = 0; i < count; ++i) {
    const unsigned number = bytes.chance(6) ? static_cast<unsigned>(bytes.bits(8)) : static_cast<unsigned>(i);
    frames +=
        flac_frame(number, text(bytes, 30) + (bytes.chance(4) ? flac_frame(number + 1, "x") : ""),
                   bytes.one_of(seconds), bytes.chance(3) ? static_cast<unsigned>(bytes.bits(8)) : 0xC9);
  }
  return flac(4096 * static_cast<std::uint64_t>(count), frames);
}

}  // namespace

void one_case(Bytes& bytes) {
  const int kind = bytes.number(0, 3);
  std::string file = kind == 0   ? some_wav(bytes)
                     : kind == 1 ? some_ogg(bytes)
                     : kind == 2 ? some_mp3(bytes)
                                 : some_flac(bytes);
  for (std::int64_t left = bytes.chance(2) ? 0 : bytes.small(0, 5); left > 0 && !file.empty(); --left) {
    file[static_cast<std::size_t>(bytes.range(0, static_cast<std::int64_t>(file.size()) - 1))] =
        static_cast<char>(bytes.bits(8));
  }
  if (bytes.chance(4)) {
    file.resize(static_cast<std::size_t>(bytes.range(0, static_cast<std::int64_t>(file.size()))));
  }
  Exact<std::byte> exact(static_cast<std::int64_t>(file.size()));
  std::copy(bytes_of(file).begin(), bytes_of(file).end(), exact.begin());
  const std::span<const std::byte> data(exact.data(), file.size());
  const auto found = audio::find_frames({reinterpret_cast<const std::uint8_t*>(data.data()), data.size()});
  const int accepted = (audio::is_ordinary_wav(audio::Input(data)) ? 1 : 0) +
                       (audio::is_ordinary_flac(data) ? 1 : 0) + (audio::is_ordinary_ogg(data) ? 1 : 0) +
                       (found ? 1 : 0);
  CHECK(accepted <= 1);
  CHECK(!audio::has_all_frames(data) || accepted == 1 || file.find("fLaC", 4) != std::string::npos);
  if (found) {
    CHECK(found->count() >= 1 && found->samples() >= 1 && found->at.back() <= file.size());
    for (std::size_t i = 1; i < found->at.size(); ++i) {
      CHECK(found->at[i] > found->at[i - 1]);
    }
  }
}

}  // namespace bindrt::stress
