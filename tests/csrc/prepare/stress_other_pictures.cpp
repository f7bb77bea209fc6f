// JPEG 2000 and TIFF files that a device may decode, whole, unusual and damaged: nothing outside the file is
// read, and what is usual is known, with its size.
#include <algorithm>
#include <string_view>
#include <vector>

#include "csrc/prepare/jpeg2000_file.h"
#include "csrc/prepare/tiff_file.h"
#include "tests/cpp/check.h"
#include "tests/cpp/damage.h"

namespace bindrt::stress {
namespace {

using namespace std::string_view_literals;
using kernels::EncodedPicture;
using kernels::PictureCoding;

class Writer {
 public:
  explicit Writer(bool big = true) : big_(big) {}

  Writer& number(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      const int shift = 8 * (big_ ? bytes - 1 - i : i);
      file.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
  }
  Writer& text(std::string_view bytes) {
    file.insert(file.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Writer& add(const File& bytes) {
    file.insert(file.end(), bytes.begin(), bytes.end());
    return *this;
  }

  File file;

 private:
  bool big_;
};

// A file, and what it should be known as; its size is 0 if it should not be known at all.
struct Made {
  File file;
  int width = 0, height = 0;
  PictureCoding coding = PictureCoding::kJpeg2000;
};

// A number that is usual, or now and then another one; then the file is not ordinary.
class Unusual {
 public:
  explicit Unusual(Bytes& bytes) : left_(bytes.chance(2) ? bytes.number(0, 24) : -1) {}

  std::uint64_t operator()(std::uint64_t usual, std::uint64_t other) {
    const bool changed = left_-- == 0;
    found_ = found_ || changed;
    return changed ? other : usual;
  }
  bool found() const { return found_; }

 private:
  int left_;
  bool found_ = false;
};

File box(std::string_view name, const File& content) {
  return Writer().number(content.size() + 8, 4).text(name).add(content).file;
}

Made make_jpeg2000(Bytes& bytes) {
  Unusual either(bytes);
  Made made;
  made.width = bytes.number(1, 300);
  made.height = bytes.number(1, 300);
  const auto width = static_cast<std::uint64_t>(made.width), height = static_cast<std::uint64_t>(made.height);
  const auto tile = static_cast<std::uint64_t>(bytes.number(50, 400));
  Writer out;
  out.number(0xFF4F, 2).number(0xFF51, 2).number(47, 2).number(either(0, 0x4000), 2);
  out.number(width, 4).number(height, 4).number(either(0, 1), 4).number(0, 4).number(tile, 4).number(tile, 4);
  out.number(0, 4).number(either(0, 5), 4).number(3, 2);
  for (int i = 0; i < 3; ++i) {
    out.number(either(7, i == 0 ? 0x87 : 11), 1).number(either(1, 2), 1).number(1, 1);
  }
  const auto precincts = static_cast<std::uint64_t>(bytes.number(0, 1));
  const auto levels = static_cast<std::uint64_t>(bytes.number(0, 5));
  out.number(0xFF52, 2).number(12 + precincts * (levels + 1), 2).number(either(precincts, 6), 1);
  out.number(static_cast<std::uint64_t>(bytes.number(0, 4)), 1).number(either(1, 40), 2);
  out.number(1, 1).number(levels, 1).number(4, 1).number(4, 1).number(either(0, 0x40), 1).number(1, 1);
  out.text(std::string_view("\x77\x88\x88\x88\x88\x88", precincts * (levels + 1)));
  out.number(either(0xFF5C, 0xFF5E), 2).number(4, 2).number(0x4070, 2);
  out.number(0xFF64, 2).number(6, 2).number(1, 2).text("hi"sv);
  const std::uint64_t tiles = ((width + tile - 1) / tile) * ((height + tile - 1) / tile);
  for (std::uint64_t i = 0; i < tiles; ++i) {
    const File data(static_cast<std::size_t>(bytes.number(0, 9)), 0x55);
    const bool to_end = i + 1 == tiles && bytes.chance(3);
    out.number(0xFF90, 2).number(10, 2).number(either(i, tiles), 2).number(to_end ? 0 : 14 + data.size(), 4);
    out.number(0, 1).number(1, 1).number(0xFF93, 2).add(data);
  }
  out.number(either(0xFFD9, 0xFFD8), 2);
  made.file = out.file;
  if (bytes.chance(2)) {
    Writer header, colours;
    header.number(either(height, height + 1), 4).number(width, 4).number(either(3, 4), 2).number(7, 1);
    header.number(7, 1).number(0, 2);
    colours.number(either(1, 2), 1).number(0, 2).number(either(16, 18), 4);
    const File inner = Writer().add(box("ihdr", header.file)).add(box("colr", colours.file)).file;
    Writer whole;
    whole.text("\0\0\0\x0CjP  \r\n\x87\n"sv).add(box("ftyp", Writer().text("jp2 \0\0\0\0jp2 "sv).file));
    whole.add(box("jp2h", inner)).add(box(either(0, 1) == 0 ? "uuid" : "jpch", File(20, 3)));
    made.file = whole.add(box("jp2c", out.file)).file;
  }
  if (either.found()) {
    made.width = 0;
  }
  return made;
}

Made make_tiff(Bytes& bytes) {
  Unusual either(bytes);
  const bool big = bytes.chance(2), lzw = bytes.chance(2), tiled = bytes.chance(3);
  Made made;
  made.width = bytes.number(1, 300);
  made.height = bytes.number(1, 300);
  made.coding = lzw ? PictureCoding::kTiffLzw : PictureCoding::kTiffDeflate;
  const auto width = static_cast<std::uint64_t>(made.width), height = static_cast<std::uint64_t>(made.height);
  const auto down = static_cast<std::uint64_t>(tiled ? 64 : bytes.number(20, 400));
  const std::uint64_t pieces = ((height + down - 1) / down) * (tiled ? (width + 63) / 64 : 1);
  Writer out(big);
  out.text(big ? "MM"sv : "II"sv).number(either(42, 43), 2).number(8, 4);
  struct Field {
    std::uint64_t tag, type;
    std::vector<std::uint64_t> values;
  };
  constexpr std::uint64_t kShort = 3, kLong = 4;
  std::vector<Field> fields = {{256, kShort, {width}},
                               {257, kLong, {height}},
                               {258, kShort, {8, either(8, 16), 8}},
                               {259,
                                kShort,
                                {either(lzw               ? 5
                                        : bytes.chance(2) ? 8
                                                          : 32946,
                                        7)}},
                               {262, kShort, {either(2, 6)}},
                               {274, kShort, {either(1, 6)}},
                               {277, kShort, {either(3, 4)}},
                               {284, kShort, {either(1, 2)}},
                               {317, kShort, {either(2, 3)}},
                               {either(305, 330), kShort, {1}},
                               {339, kShort, {either(1, 3)}}};
  if (tiled) {
    fields.push_back({322, kShort, {64}});
    fields.push_back({323, kShort, {either(64, 63)}});
  } else {
    fields.push_back({278, kLong, {down}});
  }
  const std::uint64_t directory = 2 + 12 * (fields.size() + 2) + 4;
  std::uint64_t far = 8 + directory;  // where values begin that do not fit
  const std::uint64_t first = far + 6 + 8 * pieces + 8;
  Field places{tiled ? 324ULL : 273ULL, kLong, {}}, sizes{tiled ? 325ULL : 279ULL, kLong, {}};
  for (std::uint64_t i = 0; i < pieces; ++i) {
    places.values.push_back(first + 4 * i);
    sizes.values.push_back(either(4, 1 << 20));
  }
  fields.push_back(places);
  fields.push_back(sizes);
  Writer values(big);
  out.number(fields.size(), 2);
  for (const Field& field : fields) {
    const int each = field.type == kShort ? 2 : 4;
    out.number(field.tag, 2).number(field.type, 2).number(field.values.size(), 4);
    Writer here(big);
    for (const std::uint64_t value : field.values) {
      here.number(value, each);
    }
    if (here.file.size() <= 4) {
      here.file.resize(4);
      out.add(here.file);
    } else {
      out.number(far + values.file.size(), 4);
      values.add(here.file);
    }
  }
  out.number(either(0, 8), 4).add(values.file);
  out.file.resize(static_cast<std::size_t>(first));
  for (std::uint64_t i = 0; i < pieces; ++i) {
    out.text(either(0, 1) != 0 ? "\0\x01zz"sv : lzw ? "\x80\0zz"sv : "\x78\x9Czz"sv);
  }
  made.file = out.file;
  if (either.found()) {
    made.width = 0;
  }
  return made;
}

}  // namespace

void one_case(Bytes& bytes) {
  const bool tiff = bytes.chance(2);
  const Made made = tiff ? make_tiff(bytes) : make_jpeg2000(bytes);
  const bool whole = bytes.chance(2);
  const File file = whole ? made.file : damaged(made.file, bytes, 200, 20);
  Exact<std::uint8_t> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  const auto as_tiff = prepare::common_tiff(data.data(), file.size());
  const auto as_jpeg = prepare::common_jpeg2000(data.data(), file.size());
  CHECK(!as_tiff || !as_jpeg);
  const auto& found = tiff ? as_tiff : as_jpeg;
  if (whole) {
    CHECK(found.has_value() == (made.width > 0));
    CHECK(!found ||
          (found->width == made.width && found->height == made.height && found->coding == made.coding &&
           found->data == data.data() && found->size == file.size()));
  } else if (found) {
    CHECK(found->pixels() > 0);
  }
}

}  // namespace bindrt::stress
