// The rows of a picture, or of a window of it, that lies in memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/image/image.h"

namespace bindrt::kernels {

class MemoryRows final : public RowSource {
 public:
  // From `first` on, `stride` bytes apart; `bytes` of each may be read.
  MemoryRows(const std::uint8_t* first, std::int64_t stride, std::int64_t bytes) noexcept
      : next_(first), stride_(stride) {
    readable = bytes;
  }

  // Those of a picture from a row and a column on, to its right edge.
  MemoryRows(const Picture& picture, std::int32_t first_column, std::int32_t first_row) noexcept
      : MemoryRows(picture.pixels + first_row * picture.row_stride +
                       std::ptrdiff_t{first_column} * pixel_bytes(picture.layout),
                   picture.row_stride,
                   std::int64_t{picture.width - first_column} * pixel_bytes(picture.layout)) {}

  bool next(std::int32_t count, const std::uint8_t** rows) noexcept override {
    for (std::int32_t i = 0; i < count; ++i, next_ += stride_) {
      rows[i] = next_;
    }
    return true;
  }

 private:
  const std::uint8_t* next_;
  std::int64_t stride_;
};

}  // namespace bindrt::kernels
