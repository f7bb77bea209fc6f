// Which files are ordinary: those that are whole, of one recording, with a right header.
#include <string>

#include "csrc/audio/input.h"
#include "csrc/audio/ordinary.h"
#include "tests/cpp/check.h"
#include "tests/csrc/audio/sound_files.h"

namespace {

using namespace bindrt;
using namespace bindrt::testing;

bool wav_is_ordinary(const std::string& file) { return audio::is_ordinary_wav(audio::Input(bytes_of(file))); }
bool flac_is_ordinary(const std::string& file) { return audio::is_ordinary_flac(bytes_of(file)); }
bool ogg_is_ordinary(const std::string& file) { return audio::is_ordinary_ogg(bytes_of(file)); }

void wavs() {
  const std::string data = chunk("data", std::string(100, 'x'));
  const std::string good = wav(wav_format() + data);
  CHECK(wav_is_ordinary(good));
  CHECK(wav_is_ordinary(wav(chunk("JUNK", "odd") + wav_format(3) + chunk("LIST", "four") + data)));
  CHECK(wav_is_ordinary(wav(wav_format(0xFFFE, 3) + data + chunk("id3 ", "behind"))));
  CHECK(!wav_is_ordinary(wav(wav_format(2) + data)));  // ADPCM
  CHECK(!wav_is_ordinary(wav(wav_format(0x55) + data)));
  CHECK(!wav_is_ordinary(wav(wav_format(0xFFFE, 0x55) + data)));
  CHECK(!wav_is_ordinary(wav(data)));
  CHECK(!wav_is_ordinary(wav(data + wav_format())));
  CHECK(!wav_is_ordinary(wav(wav_format() + wav_format() + data)));
  CHECK(!wav_is_ordinary(wav(wav_format() + chunk("data", ""))));
  CHECK(!wav_is_ordinary(wav(wav_format() + "data" + little(101, 4) + std::string(100, 'x'))));
  CHECK(!wav_is_ordinary(wav(wav_format() + "data" + little(0xFFFFFFFF, 4) + std::string(100, 'x'))));
  CHECK(!wav_is_ordinary("RIFX" + good.substr(4)));
  CHECK(!wav_is_ordinary(wav(wav_format())));
  CHECK(!wav_is_ordinary(wav(repeated(chunk("JUNK", ""), 2000) + wav_format() + data)));
  for (std::size_t size = 1; size < good.size(); ++size) {
    CHECK(!wav_is_ordinary(good.substr(0, size)));
  }
}

void flacs() {
  const std::string info = "fLaC\0\0\0\x22"s + std::string(34, 'i');
  CHECK(flac_is_ordinary(info + std::string(5000, 'x')));
  CHECK(flac_is_ordinary(info + "fLaC" + "fLaCxxxxxx"));
  CHECK(flac_is_ordinary(info + "fLaC"));
  CHECK(!flac_is_ordinary(info + info));
  CHECK(!flac_is_ordinary(info + "fLaC" + info));
  CHECK(!flac_is_ordinary(info + std::string(777, 'x') + "fLaC\x80\0\0\x22"s));
  CHECK(!flac_is_ordinary(" " + info));
  CHECK(!flac_is_ordinary("fLa"));
}

void oggs() {
  const std::string first = ogg_page(2, 7, 0, {"\1vorbis and so on"});
  const std::string headers = ogg_page(0, 7, 1, {std::string(700, 'c'), "setup"});
  const std::string sound = ogg_page(4, 7, 2, {"one", "two"});
  const std::string good = first + headers + sound;
  CHECK(ogg_is_ordinary(good));
  CHECK(ogg_is_ordinary(ogg_page(2, 9, 5, {"OpusHead"}) + ogg_page(0, 9, 6, {"OpusTags"}) +
                        ogg_page(0, 9, 7, {"x"})));
  CHECK(!ogg_is_ordinary(first + headers));  // ends within the headers
  CHECK(!ogg_is_ordinary(first + sound));    // a page is missing
  CHECK(!ogg_is_ordinary(headers + sound));
  CHECK(!ogg_is_ordinary(first + headers + ogg_page(4, 8, 2, {"of another"})));
  CHECK(!ogg_is_ordinary(good + good));
  CHECK(!ogg_is_ordinary(good + "x"));
  CHECK(!ogg_is_ordinary("x" + good));
  CHECK(!ogg_is_ordinary(ogg_page(2, 7, 0, {"Speex   "}) + headers + sound));
  CHECK(!ogg_is_ordinary(ogg_page(2, 7, 0, {"\1vorbis", "second"}) + headers + sound));
  CHECK(!ogg_is_ordinary(""));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    CHECK(!ogg_is_ordinary(changed));
    CHECK(!ogg_is_ordinary(good.substr(0, at)));
  }
}

void inputs() {
  CHECK(!audio::Input::open("/no/such/file"));
  CHECK(!audio::Input::open("/"));
  CHECK(!audio::Input::open("/dev/null"));
  const std::string text = "some bytes";
  audio::Input input(bytes_of(text));
  char room[20] = {};
  CHECK(input.read(5, room, 20) == 5 && std::string(room) == "bytes");
  CHECK(input.read(10, room, 1) == 0 && input.read(-1, room, 1) == 0 && input.read(INT64_MAX, room, 1) == 0);
  CHECK(input.hold() && input.hold()->data() == bytes_of(text).data());
}

}  // namespace

int main() {
  wavs();
  flacs();
  oggs();
  inputs();
  return bindrt::testing::finish();
}
