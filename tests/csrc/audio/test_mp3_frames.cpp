// The frames of MP3s made by hand, and which files are left to others.
#include <optional>
#include <string>

#include "csrc/audio/mp3_frames.h"
#include "tests/cpp/check.h"
#include "tests/csrc/audio/sound_files.h"

namespace {

using namespace bindrt::testing;
using bindrt::audio::find_frames;
using bindrt::audio::frame_header;

std::optional<bindrt::audio::Mp3Frames> found(const std::string& file) {
  return find_frames({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()});
}

const std::string kTag = "ID3\4\0\0\0\0\0\5....."s;

void headers() {
  const std::uint8_t bytes[] = {0xFF, 0xFB, 0x90, 0x64, 0xFF, 0xFB, 0x90};
  const auto header = frame_header(bytes, 0);
  CHECK(header && header->length == 417 && header->samples == 1152 && header->rate == 44100);
  CHECK(header && header->channels == 2 && header->layer == 3 && header->side_info() == 32);
  CHECK(!frame_header(bytes, 1) && !frame_header(bytes, 4) && !frame_header(bytes, 99));
  const std::uint8_t low[] = {0xFF, 0xF3, 0x44, 0xC4};  // version 2, 32 kbit/s at 24 kHz, one channel
  const auto second = frame_header(low, 0);
  CHECK(second && second->samples == 576 && second->rate == 24000 && second->channels == 1);
  CHECK(second && second->length == 96 && second->side_info() == 9);
  for (const std::uint8_t bad :
       {std::uint8_t{0x00}, std::uint8_t{0xF0}, std::uint8_t{0x0C}}) {  // free and bad bit rates, a bad rate
    const std::uint8_t odd[] = {0xFF, 0xFB, bad, 0};
    CHECK(!frame_header(odd, 0));
  }
}

void ordinary() {
  const auto plain = found(repeated(mp3_frame(), 5));
  CHECK(plain && plain->count() == 5 && plain->samples() == 5 * 1152 && plain->skip == 0);
  CHECK(plain && plain->at[1] == 417 && plain->at[5] == 5 * 417);
  const auto tagged =
      found(kTag + kTag + "\0\0\0"s + repeated(mp3_frame(), 3) + "\0\0"s + "TAG" + std::string(125, 't'));
  CHECK(tagged && tagged->count() == 3 && tagged->at[0] == 33);
  const auto promised = found(mp3_frame(xing(4, 576, 1000)) + repeated(mp3_frame(), 4));
  CHECK(promised && promised->count() == 4 && promised->at[0] == 417);
  CHECK(promised && promised->skip == 576 + 529 && promised->drop == 1000 - 529);
  CHECK(promised && promised->samples() == 4 * 1152 - 576 - 1000);
  CHECK(found(mp3_frame("VBRI" + std::string(13, '\0') + "\4") + repeated(mp3_frame(), 4)).has_value());
}

void left_to_others() {
  const std::string frames = repeated(mp3_frame(), 4);
  CHECK(!found(""));
  CHECK(!found(mp3_frame()));  // no second frame says that this is one
  CHECK(!found("x" + frames));
  CHECK(!found(frames + "x"));
  CHECK(!found(frames + kTag + frames));               // a tag between frames
  CHECK(!found(frames + "xyz" + frames));              // a gap
  CHECK(!found(frames.substr(0, frames.size() - 1)));  // the last is cut
  CHECK(!found(mp3_frame(xing(5, 0, 0)) + frames));    // one is missing
  CHECK(!found(mp3_frame(xing(3, 0, 0)) + frames));    // another recording follows
  CHECK(!found(frames + mp3_frame(xing(4, 0, 0)) + frames));
  CHECK(!found(frames + repeated(mp3_frame("", 0xFFFB90C0), 4)));  // of one channel
  CHECK(!found(frames + repeated(mp3_frame("", 0xFFFB9400), 4)));  // of another rate
  CHECK(!found(mp3_frame(xing(4, 4000, 4000)) + frames));          // nothing is left
  CHECK(!found(repeated(mp3_frame("", 0xFFFD9000), 4)));           // layer 2
}

void cut_anywhere() {
  const std::string file = kTag + mp3_frame(xing(3, 100, 600)) + repeated(mp3_frame(), 3);
  for (std::size_t size = 0; size < file.size(); ++size) {
    CHECK(!found(file.substr(0, size)));
  }
  CHECK(found(file).has_value());
}

}  // namespace

int main() {
  headers();
  ordinary();
  left_to_others();
  cut_anywhere();
  return finish();
}
