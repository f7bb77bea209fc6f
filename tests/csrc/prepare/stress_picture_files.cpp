// PNG files of every kind, with any metadata, whole and damaged: what is prepared is the picture that is in
// them, and what is wrong is left. The pixels are stored, not packed. JPEGs: jpeg_damage.cpp.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "csrc/png/picture.h"
#include "csrc/prepare/libraries.h"
#include "csrc/prepare/map_file.h"
#include "csrc/prepare/orientation.h"
#include "csrc/prepare/registry.h"
#include "tests/csrc/png/made_png.h"
#include "tests/csrc/prepare/slots.h"

namespace bindrt::stress {
namespace {

using prepare::Item;
using prepare::Limits;
using prepare::Prepared;

constexpr Limits kLimits{1 << 20, 1 << 16, 1.0, 64, 1 << 26};

bool is_map(const MadePng& made) {
  return made.colour == png::Colour::kGrey || (made.colour == png::Colour::kGreyAlpha && made.bits == 8);
}

std::int64_t sum_of(const MadePng& made) {
  std::int64_t sum = 0;
  for (std::size_t at = 0; at < made.pixels.size(); at += static_cast<std::size_t>(made.pixel_bytes)) {
    sum += made.pixels[at] + (made.bits == 16 ? made.pixels[at + 1] : 0);
  }
  return sum;
}

void check_image(const MadePng& made, const File& file, const Item& item, Bytes& bytes) {
  static OneView one(1);
  static OneView two(2);
  OneView& slots = bytes.chance(2) ? one : two;
  const std::int64_t frames = slots.view_numbers() / (3 * kSquare);
  const auto prepared = prepare::prepare_image(item, kLimits, slots);
  if (!prepared) {
    const bool sixteen = made.colour == png::Colour::kGrey && made.bits == 16;
    CHECK(!made.plain || sixteen || &file != &made.file);
    return;
  }
  static Exact<float> alone(3 * kSquare);
  CHECK(png::read_input(copying_library(), file.data(), file.size(), kLimits.max_pixels,
                        kernels::OutType::kFloat32, alone.data()));
  for (std::int64_t plane = 0; plane < 3; ++plane) {
    for (std::int64_t frame = 0; frame < frames; ++frame) {
      CHECK(std::memcmp(slots.numbers.data() + (plane * frames + frame) * kSquare,
                        alone.data() + plane * kSquare, kSquare * sizeof(float)) == 0);
    }
  }
}

void check_map(const MadePng& made, const File& file, const Item& item) {
  static OneView slots(1);
  const auto prepared = prepare::prepare_map(item, kLimits, slots, &read_map);
  if (&file != &made.file) {
    return;
  }
  CHECK(prepared.has_value() || !made.plain || !is_map(made));
  if (prepared && is_map(made)) {
    CHECK(prepared->notes.front() == std::pair(std::string("sum"), prepare::Value(sum_of(made))));
  }
}

void check_orientation(Bytes& bytes) {
  Exact<char> text(bytes.small(0, 200));
  std::mt19937 random = bytes.random();
  std::generate(text.begin(), text.end(),
                [&] { return static_cast<char>(random() % 4 == 0 ? random() : 0); });
  constexpr std::string_view kBegin("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18);
  std::copy_n(kBegin.begin(), std::min<std::int64_t>(text.size(), bytes.number(0, 18)), text.begin());
  const std::string_view whole(text.data(), static_cast<std::size_t>(text.size()));
  const int found = prepare::find_orientation(whole, whole);
  CHECK(found >= 1 && found <= 8);
}

}  // namespace

void one_case(Bytes& bytes) {
  prepare::use(copying_library());
  const MadePng made = make_png(bytes);
  const bool whole = bytes.chance(2);
  const File changed = whole ? File() : damaged(made.file, bytes, 200, 20);
  const File& file = whole ? made.file : changed;
  Exact<std::uint8_t> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  Item item;
  item.source = prepare::Bytes{reinterpret_cast<const std::byte*>(data.data()), file.size()};
  if (bytes.chance(3)) {
    item.options["exif"] = bytes.chance(2);
  }
  check_image(made, file, item, bytes);
  check_map(made, file, item);
  check_orientation(bytes);
}

}  // namespace bindrt::stress
