// Pictures out of JPEG and PNG files; runtime/bindrt/modalities/image.py says what an item means.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "csrc/jpeg/rows.h"
#include "csrc/jpeg/segments.h"
#include "csrc/png/picture.h"
#include "csrc/prepare/arrays.h"
#include "csrc/prepare/contents.h"
#include "csrc/prepare/decoded_picture.h"
#include "csrc/prepare/jpeg2000_file.h"
#include "csrc/prepare/libraries.h"
#include "csrc/prepare/options.h"
#include "csrc/prepare/picture_file.h"
#include "csrc/prepare/picture_numbers.h"
#include "csrc/prepare/registry.h"
#include "csrc/prepare/tiff_file.h"
#include "kernels/base/scratch.h"

namespace bindrt::prepare {
namespace {

constexpr std::size_t kPlane = std::size_t{kernels::kPictureSide} * kernels::kPictureSide;
constexpr std::size_t kPlanes = 3;

bool decode(const Contents& contents, const PictureFile& file, const Limits& limits, float* out,
            std::int32_t frames) {
  const auto type = kernels::OutType::kFloat32;
  return file.png.has_value() ? png::read_input(*png_library(), contents.data(), contents.size(),
                                                limits.max_pixels, type, out, frames)
                              : jpeg::read_input(*jpeg_library(), contents.data(), contents.size(),
                                                 limits.max_pixels, type, out, frames);
}

std::int32_t frames_of(const Slots& slots) {
  return static_cast<std::int32_t>(slots.view_numbers() / static_cast<std::int64_t>(kPlanes * kPlane));
}

// Reads the window of a picture for a device; nothing where there is no room for it, else whether it was
// read.
template <class Source, class Start>
std::optional<bool> left(Source& source, std::int32_t width, std::int32_t height, Slots& slots,
                         const Start& start) {
  kernels::ImageWindow window{};
  if (!kernels::image_window(width, height, kernels::kPictureSide, window)) {
    return false;
  }
  DecodedRows rows(width, height, source.layout(), window, slots);
  if (!rows.has_room()) {
    return std::nullopt;
  }
  if (!start(window) || !rows.read(source) || !source.finish()) {
    return false;
  }
  rows.leave(kernels::kClipScale, slots);
  return true;
}

// Whether a device has decoded it: files of which all decoders make the same, whole as far as can be seen.
bool decoded_there(const kernels::EncodedPicture& picture, Slots& slots) {
  auto decoded = slots.decode(picture);
  if (decoded == nullptr) {
    return false;
  }
  slots.reserve(1);
  slots.leave(std::move(decoded));
  return true;
}

// The same for files that Python reads where no device does.
bool others_decoded_there(const Contents& contents, const Limits& limits, Slots& slots) {
  if (!slots.may_leave()) {
    return false;
  }
  auto picture = common_tiff(contents.data(), contents.size());
  if (!picture) {
    picture = common_jpeg2000(contents.data(), contents.size());
  }
  if (!picture || !slots.may_decode(picture->coding, picture->pixels())) {
    return false;
  }
  const bool is_tiff = picture->coding != kernels::PictureCoding::kJpeg2000;
  return may_hold(picture->width, picture->height, limits, is_tiff ? kHeldBytes : kHeldJpeg2000) &&
         decoded_there(*picture, slots);
}

std::optional<bool> to_device(const Contents& contents, const PictureFile& file, const Limits& limits,
                              Slots& slots) {
  if (file.png) {
    const png::File& header = *file.png;
    png::Picture picture(header);
    if (header.colour == png::Colour::kGrey && header.bits == 16) {
      return false;
    }
    return left(picture, header.width, header.height, slots,
                [&picture](const auto& window) { return picture.start(*png_library(), window); });
  }
  jpeg::Rows rows(*jpeg_library(), contents.data(), contents.size());
  if (!rows.open() || std::int64_t{rows.width()} * rows.height() > limits.max_pixels) {
    return false;
  }
  const kernels::EncodedPicture whole{contents.data(), contents.size(), rows.width(), rows.height()};
  if (slots.may_decode(whole.coding, whole.pixels()) && jpeg::is_common(whole.data, whole.size) &&
      decoded_there(whole, slots)) {
    return true;
  }
  return left(rows, rows.width(), rows.height(), slots,
              [&rows](const auto& window) { return rows.start(window); });
}

bool into_slot(const Contents& contents, const PictureFile& file, const Limits& limits, Slots& slots) {
  float* const out = slots.reserve(1);
  return decode(contents, file, limits, out, frames_of(slots));
}

bool then_copied(const Contents& contents, const PictureFile& file, const Limits& limits, Slots& slots) {
  static thread_local kernels::Scratch<float> memory;
  float* const picture = memory.get(kPlanes * kPlane);
  if (picture == nullptr || !decode(contents, file, limits, picture, 1)) {
    return false;
  }
  float* out = slots.reserve(1);
  const std::int32_t frames = frames_of(slots);
  for (std::size_t plane = 0; plane < kPlanes; ++plane) {
    for (std::int32_t frame = 0; frame < frames; ++frame) {
      out = std::copy_n(picture + plane * kPlane, kPlane, out);
    }
  }
  slots.count_copied(1);
  return true;
}

// The layout that is named, or what the number of channels says; nothing where the two do not fit.
std::optional<kernels::PixelLayout> layout_of(std::optional<std::string_view> named, std::int64_t channels) {
  using kernels::PixelLayout;
  if (!named || *named == "RGB" || *named == "RGBA" || *named == "L") {
    const std::int64_t wanted = !named          ? channels
                                : *named == "L" ? 1
                                                : static_cast<std::int64_t>(named->size());
    return channels != wanted ? std::nullopt
           : channels == 1    ? std::optional(PixelLayout::kGrey)
           : channels == 3    ? std::optional(PixelLayout::kRgb)
           : channels == 4    ? std::optional(PixelLayout::kRgbx)
                              : std::nullopt;
  }
  return *named == "BGR" && channels == 3 ? std::optional(PixelLayout::kBgr) : std::nullopt;
}

// Pixels [H, W] or [H, W, channels] that are on the device.
std::optional<Prepared> prepare_lent(const Array& array, const Item& item, const Limits& limits,
                                     Slots& slots) {
  Options options(item);
  options.flag("exif");  // of a file
  options.text("grey16");
  const auto named = options.text("layout");
  const std::vector<std::int64_t>& shape = array.shape;
  if (!options.usual() || !is(array, Array::Kind::kUint, 8) || (shape.size() != 2 && shape.size() != 3) ||
      (shape.size() == 3 && shape[2] == 1 && !named)) {
    return std::nullopt;
  }
  const auto layout = layout_of(named, shape.size() == 2 ? 1 : shape[2]);
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (!layout || std::max(shape[0], shape[1]) > kMost || shape[0] * shape[1] > limits.max_pixels) {
    return std::nullopt;
  }
  const kernels::Picture picture{static_cast<const std::uint8_t*>(array.data),
                                 static_cast<std::int32_t>(shape[1]), static_cast<std::int32_t>(shape[0]),
                                 shape[1] * kernels::pixel_bytes(*layout), *layout};
  return leave_lent_picture(picture, array.lent, kernels::kClipScale, slots) ? std::optional(Prepared{})
                                                                             : std::nullopt;
}

}  // namespace

std::optional<Prepared> prepare_image(const Item& item, const Limits& limits, Slots& slots) {
  if (const auto* const array = std::get_if<Array>(&item.source)) {
    return array->lent == nullptr ? std::nullopt : prepare_lent(*array, item, limits, slots);
  }
  Options options(item);
  const bool turn = options.flag("exif");
  const std::string_view grey16 = options.text("grey16").value_or("pillow");
  if (!options.usual() || (grey16 != "pillow" && grey16 != "full")) {
    return std::nullopt;
  }
  const auto contents = Contents::of(item, limits, kMostPictureBytes);
  if (contents && others_decoded_there(*contents, limits, slots)) {
    return Prepared{};
  }
  const auto file = contents ? read_picture_file(*contents, limits) : std::nullopt;
  if (!file || (turn && file->orientation != 1)) {
    return std::nullopt;
  }
  std::optional<bool> done = slots.may_leave() ? to_device(*contents, *file, limits, slots) : std::nullopt;
  if (!done) {
    done = contents->size() <= kMostInPlace ? into_slot(*contents, *file, limits, slots)
                                            : then_copied(*contents, *file, limits, slots);
  }
  if (!*done) {
    return std::nullopt;
  }
  return Prepared{orientation_notes(*file), {}};
}

}  // namespace bindrt::prepare
