// Walks over segments of any kind, right and wrong: nothing outside the file is read, and what is found lies
// within it.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "csrc/jpeg/segments.h"
#include "tests/cpp/check.h"
#include "tests/cpp/damage.h"

namespace bindrt::stress {
namespace {

using namespace std::string_view_literals;

void add_segment(File& file, Bytes& bytes, std::mt19937& random) {
  constexpr std::uint8_t kMarkers[] = {0xC0, 0xC1, 0xC2, 0xC4, 0xD0, 0xD9, 0xDA, 0xDA, 0xDB,
                                       0xE0, 0xE1, 0xE1, 0xE2, 0xED, 0xEE, 0xFE, 0xFF};
  constexpr std::string_view kBegins[] = {
      ""sv,         "JFIF\0"sv, "Exif\0\0II*\0"sv, "http://ns.adobe.com/xap/1.0/\0"sv,
      "FLIR\0"sv,   "Adobe"sv,  "ICC_PROFILE\0"sv, "\x08\0\x10\0\x10\x03\1\x11\0\2\x11\1\3\x11\1"sv,
      "\x01\1\0"sv, "\x03"sv};
  const std::uint8_t marker = bytes.one_of(kMarkers);
  const std::string_view begin = bytes.one_of(kBegins);
  const auto more = static_cast<std::size_t>(bytes.small(0, 200));
  const std::size_t length = 2 + begin.size() + more + static_cast<std::size_t>(bytes.chance(8) ? 1 : 0);
  file.insert(file.end(),
              {0xFF, marker, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)});
  file.insert(file.end(), begin.begin(), begin.end());
  std::generate_n(std::back_inserter(file), more,
                  [&] { return static_cast<std::uint8_t>(random() % 7 * 51); });
}

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

void one_case(Bytes& bytes) {
  File file = {0xFF, 0xD8};
  std::mt19937 random = bytes.random();
  for (std::int64_t left = bytes.small(0, 12); left > 0; --left) {
    add_segment(file, bytes, random);
  }
  if (bytes.chance(2)) {
    file = damaged(file, bytes, 100, 10);
  }
  Exact<std::uint8_t> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  const std::string_view whole(reinterpret_cast<const char*>(data.data()), file.size());

  const jpeg::Metadata found = jpeg::read_metadata(data.data(), file.size());
  CHECK(is_within(found.exif, whole) && is_within(found.xmp, whole));
  std::int64_t scans = 0;
  jpeg::Segments segments(data.data(), file.size(), true);
  for (jpeg::Segment segment{}; segments.next(segment);) {
    CHECK(is_within(segment.content, whole));
    scans += segment.marker == 0xDA ? 1 : 0;
  }
  CHECK(jpeg::has_few_scans(data.data(), file.size(), scans));
  if (jpeg::has_plain_segments(data.data(), file.size())) {
    CHECK(scans > 0);
  }
  if (jpeg::is_common(data.data(), file.size())) {
    CHECK(scans > 0);
  }
}

}  // namespace bindrt::stress
