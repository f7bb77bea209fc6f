// Reads grey pictures whole; runtime/bindrt/modalities/steps/maps.py says which pictures are maps.
#include "csrc/prepare/map_file.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include "csrc/jpeg/rows.h"
#include "csrc/jpeg/segments.h"
#include "csrc/png/picture.h"
#include "csrc/prepare/contents.h"
#include "csrc/prepare/grey.h"
#include "csrc/prepare/libraries.h"
#include "csrc/prepare/picture_file.h"
#include "csrc/prepare/picture_numbers.h"
#include "kernels/base/scratch.h"

namespace bindrt::prepare {
namespace {

// The numbers of one map, in memory of the thread.
class Values {
 public:
  ~Values() { kept().trim(); }

  // Room for numbers of 8 or 16 bits; null if there is no memory.
  void* room(std::int32_t width, std::int32_t height, int bits) noexcept {
    const std::int64_t row = std::int64_t{width} * bits / 8;
    void* const memory = kept().get(static_cast<std::size_t>(row * height + 1) / 2);
    map_ = {memory, bits == 16 ? kernels::MapType::kUint16 : kernels::MapType::kUint8, width, height, row};
    return memory;
  }

  const kernels::Map& map() const noexcept { return map_; }

 private:
  static kernels::Scratch<std::uint16_t>& kept() noexcept {
    static thread_local kernels::Scratch<std::uint16_t> memory;
    return memory;
  }

  kernels::Map map_{};
};

bool read_jpeg(const Contents& contents, const PictureFile& file, const Limits& limits, Values& values) {
  // Python opens these with Pillow, and reads no more than max_bytes of them.
  if (file.radiometric || static_cast<std::int64_t>(contents.size()) > limits.max_bytes ||
      !jpeg::has_plain_segments(contents.data(), contents.size())) {
    return false;
  }
  jpeg::Rows rows(*jpeg_library(), contents.data(), contents.size());
  if (!rows.open() || !may_hold(rows.width(), rows.height(), limits)) {
    return false;
  }
  auto* const out = static_cast<std::uint8_t*>(values.room(rows.width(), rows.height(), 8));
  return out != nullptr && rows.start({0, rows.width(), 0, rows.height()}) &&
         read_grey(rows, rows.layout(), rows.width(), rows.height(), out) && rows.finish();
}

bool read_png(const PictureFile& file, Values& values) {
  const png::File& header = *file.png;
  void* const out = values.room(header.width, header.height, header.bits);
  if (out == nullptr || header.is_grey()) {
    return out != nullptr && png::read_grey(*png_library(), header, out);
  }
  if (header.bits == 16 || file.transparency) {
    return false;
  }
  png::Picture picture(header);
  return picture.start(*png_library(), {0, header.width, 0, header.height}) &&
         read_grey(picture, picture.layout(), header.width, header.height, static_cast<std::uint8_t*>(out)) &&
         picture.finish();
}

std::optional<Prepared> prepare_file(const Item& item, const Limits& limits, Slots& slots,
                                     MapPreparer prepare) {
  Options options(item);
  const bool turn = options.flag("exif");
  const auto contents = Contents::of(item, limits, kMostPictureBytes);
  const auto file = contents ? read_picture_file(*contents, limits) : std::nullopt;
  if (!file || (turn && file->orientation != 1)) {
    return std::nullopt;
  }
  Values values;
  if (!(file->png ? read_png(*file, values) : read_jpeg(*contents, *file, limits, values))) {
    return std::nullopt;
  }
  std::optional<Prepared> prepared = prepare({values.map(), nullptr}, options, slots);
  if (prepared) {
    for (auto& note : orientation_notes(*file)) {
      prepared->notes.push_back(std::move(note));
    }
  }
  return prepared;
}

}  // namespace

std::optional<Prepared> prepare_map(const Item& item, const Limits& limits, Slots& slots,
                                    MapPreparer prepare) {
  const auto* const array = std::get_if<Array>(&item.source);
  if (array == nullptr) {
    return prepare_file(item, limits, slots, prepare);
  }
  const auto map = map_of(*array, limits);
  Options options(item);
  options.flag("exif");  // an array has no orientation
  return map ? prepare({*map, array->lent}, options, slots) : std::nullopt;
}

}  // namespace bindrt::prepare
