// Walks the segments of a JPEG file.
#include "csrc/jpeg/segments.h"

#include <algorithm>

namespace bindrt::jpeg {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t kTemporary = 0x01, kFirstRestart = 0xD0, kStart = 0xD8, kEnd = 0xD9, kScan = 0xDA;
constexpr std::uint8_t kTables = 0xDB, kRestarts = 0xDD, kHuffman = 0xC4, kComment = 0xFE;
constexpr std::uint8_t kBaseline = 0xC0, kSequential = 0xC1, kProgressive = 0xC2;
constexpr std::uint8_t kApp0 = 0xE0, kApp1 = 0xE1, kApp2 = 0xE2, kApp13 = 0xED, kApp14 = 0xEE, kApp15 = 0xEF;
constexpr std::size_t kFrame = 6;      // bytes of a frame's header before its components
constexpr std::size_t kComponent = 3;  // bytes of each of them
constexpr std::string_view kExif = "Exif\0\0"sv;
constexpr std::string_view kXmp = "http://ns.adobe.com/xap/"sv;
constexpr std::string_view kFlir = "FLIR\0"sv;

std::uint8_t byte(std::string_view text, std::size_t at) noexcept {
  return static_cast<std::uint8_t>(text[at]);
}

bool is_alone(std::uint8_t marker) noexcept {
  return marker == kTemporary || (marker >= kFirstRestart && marker <= kStart);
}

// Where the data of a scan end: at the next marker that is no restart; the file's end if there is none.
std::size_t scan_end(std::string_view file, std::size_t from) noexcept {
  std::size_t at = file.find('\xFF', from);
  for (; at < file.size() && at + 1 < file.size(); at = file.find('\xFF', at + 1)) {
    const std::uint8_t marker = byte(file, at + 1);
    if (marker != 0 && marker != 0xFF && (marker < kFirstRestart || marker >= kStart)) {
      return at;
    }
  }
  return file.size();
}

// Whether the first scan has all that the frame has: then a decoder reads no other.
bool has_one_scan(const std::uint8_t* data, std::size_t size, bool& too_many) noexcept {
  Segments segments(data, size);
  Segment segment{};
  std::uint8_t components = 0;
  for (std::int64_t count = 0; segments.next(segment); ++count) {
    if (count > kMostSegments) {
      too_many = true;
      return false;
    }
    if ((segment.marker == kBaseline || segment.marker == kSequential) && segment.content.size() >= kFrame) {
      components = byte(segment.content, kFrame - 1);
    } else if (segment.marker == kScan) {
      return !segment.content.empty() && byte(segment.content, 0) == components;
    }
  }
  return false;
}

// Tables of one or two bytes a number, each behind a byte that says which.
bool are_whole_tables(std::string_view content) noexcept {
  while (!content.empty()) {
    const std::size_t length = 1 + (byte(content, 0) / 16 == 0 ? 64U : 128U);
    if (content.size() < length) {
      return false;
    }
    content.remove_prefix(length);
  }
  return true;
}

bool is_plain_frame(std::string_view content) noexcept {
  return content.size() >= kFrame && byte(content, 0) == 8 &&
         (byte(content, kFrame - 1) == 1 || byte(content, kFrame - 1) == 3) &&
         content.size() == kFrame + kComponent * byte(content, kFrame - 1);
}

// What an application says, where Pillow looks into it.
bool is_plain_application(const Segment& segment) noexcept {
  constexpr std::size_t kJfif = 12;     // bytes that Pillow reads of it
  constexpr std::size_t kAdobe = 12;    // the same
  constexpr std::size_t kProfile = 14;  // before the piece of a profile
  constexpr std::size_t kTags = 8;      // of a TIFF's header
  const std::string_view content = segment.content;
  switch (segment.marker) {
    case kApp0:
      return !content.starts_with("JFIF") || content.size() >= kJfif;
    case kApp1:
      if (content.starts_with(kExif)) {
        const std::string_view tags = content.substr(kExif.size());
        return tags.size() >= kTags && (tags.starts_with("II*\0"sv) || tags.starts_with("MM\0*"sv));
      }
      return !content.starts_with(kXmp) || content.starts_with("http://ns.adobe.com/xap/1.0/\0"sv);
    case kApp2:
      return !content.starts_with("ICC_PROFILE\0"sv) || content.size() >= kProfile;
    case kApp13:
      return !content.starts_with("Photoshop"sv);
    case kApp14:
      return !content.starts_with("Adobe") || content.size() >= kAdobe;
    default:
      return true;
  }
}

bool is_plain(const Segment& segment) noexcept {
  switch (segment.marker) {
    case kTables:
      return are_whole_tables(segment.content);
    case kBaseline:
    case kSequential:
    case kProgressive:
      return is_plain_frame(segment.content);
    case kHuffman:
    case kRestarts:
    case kComment:
    case kScan:
      return true;
    default:
      return segment.marker >= kApp0 && segment.marker <= kApp15 && is_plain_application(segment);
  }
}

// Components 1, 2 and 3; the first has one or two samples along each axis where the others have one.
bool is_common_frame(std::string_view content) noexcept {
  constexpr std::uint8_t kOne = 0x11, kTwoAcross = 0x21, kFour = 0x22;
  if (!is_plain_frame(content) || byte(content, kFrame - 1) != 3) {
    return false;
  }
  const auto number = [content](std::size_t i) { return byte(content, kFrame + i * kComponent); };
  const auto sampling = [content](std::size_t i) { return byte(content, kFrame + i * kComponent + 1); };
  const std::uint8_t first = sampling(0);
  return number(0) == 1 && number(1) == 2 && number(2) == 3 && sampling(1) == kOne && sampling(2) == kOne &&
         (first == kOne || first == kTwoAcross || first == kFour);
}

// Whether an Adobe segment, if it is one, says that the colours are luminance and two differences.
bool says_ycc(std::string_view content) noexcept {
  constexpr std::size_t kTransform = 11;
  return !content.starts_with("Adobe") || (content.size() > kTransform && byte(content, kTransform) == 1);
}

}  // namespace

Segments::Segments(const std::uint8_t* data, std::size_t size, bool scans) noexcept
    : file_(reinterpret_cast<const char*>(data), size), scans_(scans) {}

bool Segments::next(Segment& segment) noexcept {
  while (at_ + 4 <= file_.size() && byte(file_, at_) == 0xFF) {
    const std::uint8_t marker = byte(file_, at_ + 1);
    if (marker == 0xFF) {  // a byte that fills
      ++at_;
      continue;
    }
    if (is_alone(marker)) {
      at_ += 2;
      continue;
    }
    if (marker == kEnd) {
      break;
    }
    const std::size_t begin = at_ + 4;
    const std::size_t end = at_ + 2 + std::size_t{byte(file_, at_ + 2)} * 256 + byte(file_, at_ + 3);
    segment = {marker, end > begin ? file_.substr(begin, end - begin) : std::string_view()};
    at_ = end;
    if (marker == kScan) {
      at_ = scans_ && end <= file_.size() ? scan_end(file_, end) : file_.size();
    }
    return true;
  }
  at_ = file_.size();
  return false;
}

bool has_few_scans(const std::uint8_t* data, std::size_t size, std::int64_t most) noexcept {
  bool too_many = false;
  if (has_one_scan(data, size, too_many) || too_many) {
    return !too_many;
  }
  Segments segments(data, size, true);
  Segment segment{};
  std::int64_t scans = 0;
  while (segments.next(segment)) {
    scans += segment.marker == kScan ? 1 : 0;
  }
  return scans <= most;
}

Metadata read_metadata(const std::uint8_t* data, std::size_t size) noexcept {
  Metadata found;
  Segments segments(data, size);
  Segment segment{};
  while (segments.next(segment)) {
    const std::string_view content = segment.content;
    if (segment.marker != kApp1) {
      continue;
    }
    if (content.starts_with(kExif)) {
      found.exif = found.exif.data() == nullptr ? content.substr(kExif.size()) : found.exif;
    } else if (content.starts_with(kXmp)) {
      found.xmp = found.xmp.empty() ? content : found.xmp;
    }
    found.radiometric = found.radiometric || content.starts_with(kFlir);
  }
  return found;
}

bool is_common(const std::uint8_t* data, std::size_t size) noexcept {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  Segments segments(data, size);
  Segment segment{};
  int frames = 0;
  while (segments.next(segment)) {
    const bool is_frame = segment.marker >= kBaseline && segment.marker <= 0xCF && segment.marker != kHuffman;
    if ((is_frame && (segment.marker != kBaseline || !is_common_frame(segment.content))) ||
        (segment.marker == kApp14 && !says_ycc(segment.content))) {
      return false;
    }
    frames += is_frame ? 1 : 0;
    if (segment.marker == kScan) {
      if (segment.content.empty()) {
        return false;
      }
      const auto begin =
          static_cast<std::size_t>(segment.content.data() - file.data()) + segment.content.size();
      const std::size_t end = scan_end(file, begin);
      return frames == 1 && byte(segment.content, 0) == 3 && end + 1 < size && byte(file, end + 1) == kEnd;
    }
  }
  return false;
}

bool has_plain_segments(const std::uint8_t* data, std::size_t size) noexcept {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  Segments segments(data, size);
  Segment segment{};
  std::size_t at = 2;
  int frames = 0;
  int exif = 0;
  int xmp = 0;
  while (segments.next(segment)) {
    if (segment.content.empty() || static_cast<const char*>(segment.content.data()) != file.data() + at + 4) {
      return false;  // it holds nothing, or something stands before it
    }
    at += 4 + segment.content.size();
    const std::size_t stated = std::size_t{byte(file, at - segment.content.size() - 2)} * 256 +
                               byte(file, at - segment.content.size() - 1);
    frames += segment.marker >= kBaseline && segment.marker <= kProgressive ? 1 : 0;
    exif += segment.marker == kApp1 && segment.content.starts_with(kExif) ? 1 : 0;
    xmp += segment.marker == kApp1 && segment.content.starts_with(kXmp) ? 1 : 0;
    if (stated != 2 + segment.content.size() || !is_plain(segment)) {
      return false;
    }
    if (segment.marker == kScan) {
      return frames == 1 && exif <= 1 && xmp <= 1;
    }
  }
  return false;
}

}  // namespace bindrt::jpeg
