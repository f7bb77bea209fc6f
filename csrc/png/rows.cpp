// Unpacks the pixels of a PNG, and puts its rows back one by one.
#include "csrc/png/rows.h"

#include <cstring>

#include "csrc/png/unfilter.h"
#include "kernels/base/scratch.h"

namespace bindrt::png {
namespace {

kernels::Scratch<std::uint8_t>& memory(int which) noexcept {
  static thread_local kernels::Scratch<std::uint8_t> kept[2];
  return kept[which];
}

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

bool read_grey(const Library& library, const File& file, void* out) noexcept {
  Rows rows(file);
  if (!file.is_grey() || file.pixel_bytes() > 2 || !rows.unpack(library)) {
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
