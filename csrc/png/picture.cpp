// Takes the window's part of each row out of what a PNG stores.
#include "csrc/png/picture.h"

#include <cstring>

#include "kernels/base/scratch.h"

namespace bindrt::png {
namespace {

constexpr std::int32_t kBlock = 16;  // rows that are asked for at once, at most

}  // namespace

Picture::Picture(const File& file) noexcept : file_(file), rows_(file) {}

kernels::PixelLayout Picture::layout() const noexcept {
  if (file_.is_grey()) {
    return kernels::PixelLayout::kGrey;
  }
  const bool as_stored = file_.colour == Colour::kRgba && file_.bits == 8;
  return as_stored ? kernels::PixelLayout::kRgbx : kernels::PixelLayout::kRgb;
}

bool Picture::start(const Library& library, const kernels::ImageWindow& window) noexcept {
  if (!rows_.unpack(library)) {
    return false;
  }
  static thread_local kernels::Scratch<std::uint8_t> kept;
  window_ = window;
  pitch_ = static_cast<std::size_t>(window_.columns) * static_cast<std::size_t>(made_bytes());
  buffer_ = in_place() ? nullptr : kept.get(kBlock * pitch_ + Rows::kReadable);
  readable = static_cast<std::int64_t>(pitch_ + Rows::kReadable);
  for (std::int32_t row = 0; row < window_.first_row; ++row) {
    if (rows_.next() == nullptr) {
      return false;
    }
  }
  return in_place() || buffer_ != nullptr;
}

bool Picture::next(std::int32_t count, const std::uint8_t** rows) noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    const std::uint8_t* row = rows_.next();
    if (row == nullptr) {
      return false;
    }
    row += static_cast<std::ptrdiff_t>(window_.first_column) * file_.pixel_bytes();
    if (in_place()) {
      rows[i] = row;
      continue;
    }
    std::uint8_t* const made = buffer_ + static_cast<std::size_t>(i) * pitch_;
    if (file_.palette == nullptr) {
      take(row, made);
    } else if (!look_up(row, made)) {
      return false;
    }
    rows[i] = made;
  }
  return true;
}

// The numbers below are copied: what is written might be they, as far as the compiler knows.

// The colours of a palette's numbers. What a number beyond it means, Pillow may know.
bool Picture::look_up(const std::uint8_t* row, std::uint8_t* made) const noexcept {
  const std::uint8_t* const palette = file_.palette;
  const std::int32_t colours = file_.palette_colours;
  const std::int32_t columns = window_.columns;
  for (std::int32_t i = 0; i < columns; ++i) {
    if (row[i] >= colours) {
      return false;
    }
    std::memcpy(made + 3 * i, palette + 3 * row[i], 3);
  }
  return true;
}

// The first byte of each sample, without alpha.
void Picture::take(const std::uint8_t* row, std::uint8_t* made) const noexcept {
  const std::int32_t samples = made_bytes();
  const std::int32_t sample_bytes = file_.bits / 8;
  const std::int32_t pixel_bytes = file_.pixel_bytes();
  const std::int32_t columns = window_.columns;
  for (std::int32_t i = 0; i < columns; ++i, row += pixel_bytes) {
    for (std::int32_t sample = 0; sample < samples; ++sample) {
      *made++ = row[sample * sample_bytes];
    }
  }
}

bool read_input(const Library& library, const std::uint8_t* data, std::size_t size, std::int64_t max_pixels,
                kernels::OutType type, void* out, std::int32_t frames) noexcept {
  File file{};
  kernels::ImageWindow window{};
  if (!read_file(data, size, file) || std::int64_t{file.width} * file.height > max_pixels ||
      (file.colour == Colour::kGrey && file.bits == 16) ||
      !kernels::image_window(file.width, file.height, kernels::kPictureSide, window)) {
    return false;
  }
  Picture picture(file);
  return picture.start(library, window) &&
         kernels::image_to_input(file.width, file.height, picture.layout(), picture, kernels::kClipScale,
                                 kernels::kPictureSide, type, out, frames) &&
         picture.finish();
}

}  // namespace bindrt::png
