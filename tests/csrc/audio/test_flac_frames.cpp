// FLAC files made by hand: which have all their frames.
#include <string>

#include "csrc/audio/flac_frames.h"
#include "tests/cpp/check.h"
#include "tests/csrc/audio/sound_files.h"

namespace {

using namespace bindrt::testing;

bool whole(const std::string& file) { return bindrt::audio::has_all_frames(bytes_of(file)); }

std::string frames(unsigned count, const std::string& data = "data") {
  std::string all;
  for (unsigned i = 0; i < count; ++i) {
    all += flac_frame(i, data);
  }
  return all;
}

void good() {
  CHECK(whole(flac(3 * 4096, frames(3))));
  CHECK(whole(flac(200 * 4096, frames(200, std::string(50, '\xFF')))));
  // Data that looks like a frame: of another number, of the next one but with another sum before it.
  CHECK(whole(flac(3 * 4096, frames(3, "a" + flac_frame(7, "b") + "c"))));
  CHECK(whole(flac(2 * 4096, flac_frame(0, "a" + flac_frame(1, "b") + "c") + flac_frame(1, "d"))));
  // Numbers of samples, as files of differing sizes have them; the last frame has 300.
  const std::string last = "\xFF\xF9\x79\x18"s + "\xE1\x80\x80"s;  // 4096, then the size
  std::string frame = last + big(299, 2);
  frame += static_cast<char>(check_sum(frame, 8, 0x07));
  frame += "xy";
  frame += big(check_sum(frame, 16, 0x8005), 2);
  CHECK(whole(flac(4096 + 300, flac_frame(0, "data", 0xF9) + frame)));
}

void bad() {
  CHECK(!whole(flac(0, frames(3))));
  CHECK(!whole(flac(4 * 4096, frames(3))));
  CHECK(!whole(flac(2 * 4096, frames(3))));
  CHECK(!whole(flac(3 * 4096 - 1, frames(3))));
  CHECK(!whole(flac(3 * 4096, frames(3) + "TAG")));
  CHECK(!whole(flac(3 * 4096, "x" + frames(3))));
  CHECK(!whole(flac(2 * 4096, flac_frame(0, "a") + flac_frame(2, "b"))));
  CHECK(!whole(flac(4096, flac_frame(1, "a"))));
  CHECK(!whole(""));
  const std::string file = flac(3 * 4096, frames(3));
  const std::size_t metadata = file.size() - frames(3).size();
  for (std::size_t at = 0; at < file.size(); ++at) {
    CHECK(!whole(file.substr(0, at)));
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    CHECK(at < metadata || !whole(changed));
  }
}

}  // namespace

int main() {
  good();
  bad();
  return finish();
}
