// What the tables of files made by hand claim.
#include <cstdint>
#include <string>

#include "csrc/video/claims.h"
#include "tests/cpp/check.h"
#include "tests/csrc/video/made_mp4.h"

namespace {

using namespace bindrt::testing;
using bindrt::video::Kind;

constexpr std::int64_t kMost = 1000;

bool holds(const std::string& file, Kind kind = Kind::kMp4, std::int64_t most = kMost) {
  return bindrt::video::holds_its_claims(input_of(file), kind, most);
}

std::optional<Kind> kind(const std::string& file) { return bindrt::video::kind_of(input_of(file)); }

void kinds() {
  CHECK(kind(mp4("")) == Kind::kMp4);
  CHECK(kind(box("moov", "....")) == Kind::kMp4 && kind(box("wide", "....")) == Kind::kMp4);
  CHECK(kind(matroska("")) == Kind::kMatroska);
  CHECK(!kind("") && !kind("short") && !kind(box("ftyp", "avif....")) && !kind(box("ftyp", "heic....")));
  CHECK(!kind("BM\0\0mdat........"s));    // a picture's letters
  CHECK(!kind("\0\0\1\0ftypisom...."s));  // an icon's
  CHECK(!kind("RIFF....AVI ...."s));
}

void sizes_of_packets() {
  CHECK(holds(mp4("")) && holds(mp4(track("vide", sizes(0, 3, {10, 20, 30})), 60)));
  CHECK(holds(mp4(track("vide", sizes(0, 3, {10, 20, 30})))));  // the tables themselves are as large
  CHECK(!holds(mp4(track("vide", sizes(0, 3, {1000, 20, 30})), 60)));
  CHECK(!holds(mp4(track("vide", sizes(0, 4, {10, 20, 30})), 60)));  // the table ends before
  CHECK(!holds(mp4(track("vide", sizes(100, 1000)), 60)));
  CHECK(!holds(mp4(track("vide", sizes(0xFFFFFFFF, 0xFFFFFFFF)), 60)));
  CHECK(holds(mp4(track("vide", sizes(1, kMost)), kMost)));
  CHECK(!holds(mp4(track("vide", sizes(0, kMost + 1)), kMost)));
  const std::string wide = big(0, 4) + big(8, 4) + big(40, 4);
  CHECK(holds(mp4(track("vide", box("stz2", wide + std::string(40, '1'))))));
  CHECK(!holds(mp4(track("vide", box("stz2", wide + std::string(39, '1'))))));
}

void other_tables() {
  for (const char* const name : {"stts", "ctts", "stco", "co64", "stss", "stsc", "elst"}) {
    CHECK(holds(mp4(track("vide", table(name, kMost, {})))));
    CHECK(!holds(mp4(track("vide", table(name, kMost + 1, {})))));
  }
  CHECK(!holds(mp4(box("moof", box("traf", table("trun", 600, {}) + table("trun", 600, {}))))));
  CHECK(holds(mp4(box("moof", box("traf", table("trun", 600, {}) + table("trun", 400, {}))))));
  for (const char* const name : {"cmov", "sinf", "pssh", "senc"}) {  // left to others
    CHECK(!holds(mp4(track("vide", box(name, "")))));
  }
}

// FFmpeg makes packets of the chunks of a sound whose table counts its samples.
void sound_by_chunks() {
  const std::string steps = table("stts", 1, {44100, 1});
  const std::string chunks = table("stco", 10, {});
  const std::string together = table("stsc", 1, {1, 2048, 1});
  CHECK(holds(mp4(track("soun", steps + chunks + together + sizes(4, 1'000'000)))));
  CHECK(!holds(mp4(track("soun", steps + chunks + together + sizes(4, 1'000'000)), 0), Kind::kMp4, 19));
  CHECK(!holds(mp4(track("vide", steps + chunks + together + sizes(4, 1'000'000)))));
  CHECK(!holds(mp4(track("soun", table("stts", 1, {44100, 2}) + chunks + together + sizes(4, 1'000'000)))));
}

void odd_boxes() {
  CHECK(holds("\0\0\0\7ftyp"s + std::string(20, 'x')));                 // shorter than its own head
  CHECK(holds(box("moov", big(1, 4) + "trak"s + big(1ULL << 63, 8))));  // longer than anything
  CHECK(holds(box("moov", big(0, 4) + "trak"s)));
  std::string deep = table("stts", kMost + 1, {});
  for (int i = 0; i < 10; ++i) {
    deep = box("moov", deep);
  }
  CHECK(!holds(deep));
  for (int i = 0; i < 20; ++i) {
    deep = box("moov", deep);
  }
  CHECK(!holds(deep));  // deeper than is looked
}

void blocks_of_matroska() {
  CHECK(holds(matroska(block(1) + block(9)), Kind::kMatroska, 10));
  CHECK(!holds(matroska(block(1) + block(9)), Kind::kMatroska, 9));
  std::string many;
  for (int i = 0; i < 60; ++i) {
    many += block(256);
  }
  CHECK(!holds(matroska(many), Kind::kMatroska, 1 << 20));
  CHECK(holds("\0"s, Kind::kMatroska) && holds("\x1A\x45"s, Kind::kMatroska));
}

}  // namespace

int main() {
  kinds();
  sizes_of_packets();
  other_tables();
  sound_by_chunks();
  odd_boxes();
  blocks_of_matroska();
  return finish();
}
