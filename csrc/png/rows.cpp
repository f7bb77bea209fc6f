// Unpacks the pixels of a PNG, and hands its rows to the resize in a layout that it knows.
#include "csrc/png/rows.h"

#include <cstring>

#include "csrc/png/unfilter.h"
#include "kernels/base/scratch.h"

namespace bindrt::png {
namespace {

constexpr std::int32_t kBlock = 16;  // rows that are asked for at once, at most

kernels::Scratch<std::uint8_t>& memory(int which) noexcept {
  static thread_local kernels::Scratch<std::uint8_t> kept[2];
  return kept[which];
}

bool is_grey(const File& file) noexcept {
  return file.colour == Colour::kGrey || file.colour == Colour::kGreyAlpha;
}

kernels::PixelLayout layout_of(const File& file) noexcept {
  if (is_grey(file)) {
    return kernels::PixelLayout::kGrey;
  }
  const bool as_stored = file.colour == Colour::kRgba && file.bits == 8;
  return as_stored ? kernels::PixelLayout::kRgbx : kernels::PixelLayout::kRgb;
}

// The window's part of each row, for the resize.
class Window final : public kernels::RowSource {
 public:
  Window(Rows& rows, const File& file, const kernels::ImageWindow& window) noexcept
      : rows_(rows), file_(file), window_(window) {}

  // Goes to the window's first row.
  bool start() noexcept {
    static thread_local kernels::Scratch<std::uint8_t> kept;
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

  bool next(std::int32_t count, const std::uint8_t** rows) noexcept override {
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

 private:
  std::int32_t made_bytes() const noexcept { return kernels::pixel_bytes(layout_of(file_)); }
  bool in_place() const noexcept { return file_.palette == nullptr && made_bytes() == file_.pixel_bytes(); }

  // The numbers below are copied: what is written might be they, as far as the compiler knows.

  // The colours of a palette's numbers. What a number beyond it means, Pillow may know.
  bool look_up(const std::uint8_t* row, std::uint8_t* made) const noexcept {
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
  void take(const std::uint8_t* row, std::uint8_t* made) const noexcept {
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

  Rows& rows_;
  const File& file_;
  const kernels::ImageWindow& window_;
  std::uint8_t* buffer_ = nullptr;  // kBlock rows, where they are not as the file has them
  std::size_t pitch_ = 0;
};

// 16-bit numbers as this machine has them.
void copy_numbers(const std::uint8_t* row, std::uint16_t* to, std::int32_t count) noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    to[i] = static_cast<std::uint16_t>(row[2 * i] << 8 | row[2 * i + 1]);
  }
}

// The first byte of each pixel.
void copy_first_bytes(const std::uint8_t* row, std::ptrdiff_t pixel_bytes, std::uint8_t* to,
                      std::int32_t count) noexcept {
  if (pixel_bytes == 1) {
    std::memcpy(to, row, static_cast<std::size_t>(count));
    return;
  }
  for (std::int32_t i = 0; i < count; ++i) {
    to[i] = row[i * pixel_bytes];
  }
}

}  // namespace

Rows::Rows(const File& file) noexcept : file_(file), pitch_(1 + file.row_bytes()), left_(file.height) {}

Rows::~Rows() {
  memory(0).trim();
  memory(1).trim();
}

bool Rows::unpack(const Library& library) noexcept {
  const std::size_t held = pitch_ * static_cast<std::size_t>(file_.height);
  std::uint8_t* const rows = memory(0).get(pitch_ + held + kReadable);
  std::uint8_t* const packed = memory(1).get(file_.packed);
  if (rows == nullptr || packed == nullptr) {
    return false;
  }
  std::memset(rows, 0, pitch_);  // above the first row
  row_ = rows + pitch_;
  return library.unpack_exactly(packed_pixels(file_, packed), file_.packed, row_, held);
}

const std::uint8_t* Rows::next() noexcept {
  std::uint8_t* const row = row_;
  if (*row >= kFilters) {
    return nullptr;
  }
  unfilter(*row, file_.pixel_bytes(), row + 1 - pitch_, row + 1, pitch_ - 1);
  row_ += pitch_;
  --left_;
  return row + 1;
}

bool Rows::finish() const noexcept {
  const std::uint8_t* row = row_;
  for (std::int32_t left = left_; left > 0; --left, row += pitch_) {
    if (*row >= kFilters) {
      return false;
    }
  }
  return true;
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
  Rows rows(file);
  Window source(rows, file, window);
  return rows.unpack(library) && source.start() &&
         kernels::image_to_input(file.width, file.height, layout_of(file), source, kernels::kClipScale,
                                 kernels::kPictureSide, type, out, frames) &&
         rows.finish();
}

bool read_grey(const Library& library, const File& file, void* out) noexcept {
  Rows rows(file);
  if (!is_grey(file) || file.pixel_bytes() > 2 || !rows.unpack(library)) {
    return false;
  }
  for (std::int32_t y = 0; y < file.height; ++y) {
    const std::uint8_t* const row = rows.next();
    if (row == nullptr) {
      return false;
    }
    const std::ptrdiff_t at = std::ptrdiff_t{y} * file.width;
    if (file.bits == 16) {
      copy_numbers(row, static_cast<std::uint16_t*>(out) + at, file.width);
      continue;
    }
    copy_first_bytes(row, file.pixel_bytes(), static_cast<std::uint8_t*>(out) + at, file.width);
  }
  return true;
}

}  // namespace bindrt::png
