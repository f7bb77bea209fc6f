// Output rows of a picture one after the other, from source rows one after the other: rows resized across
// are kept in a ring, only as many as the pass down needs.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/image/image.h"
#include "kernels/image/image_passes.h"
#include "kernels/resize/antialias.h"

namespace bindrt::kernels::image {

// What all bands of a picture share.
struct ImagePlan {
  std::int32_t side = 0;
  PixelLayout layout = PixelLayout::kRgb;
  Grouping grouping{};
  std::shared_ptr<const AxisTaps> across;
  std::shared_ptr<const AxisTaps> down;
  std::int32_t pitch = 0;  // lanes of one channel
  std::int32_t lanes = 0;  // lanes of all channels

  // False if there is no memory.
  bool make(std::int32_t width, std::int32_t height, PixelLayout pixel_layout,
            std::int32_t new_side) noexcept;

  // The source rows that output rows [begin, end) depend on, from the picture's first row.
  std::int32_t first_source_row(std::int32_t begin) const noexcept;
  std::int32_t last_source_row(std::int32_t end) const noexcept;  // past the last one
};

// A thread has one band at a time: the memory belongs to the thread.
class Band {
 public:
  // `source` gives the rows from plan.first_source_row(begin) to plan.last_source_row(end).
  Band(const ImagePlan& plan, RowSource& source, std::int32_t begin, std::int32_t end) noexcept;

  bool allocate() noexcept;  // false if there is no memory

  // The next output row, [channel, plan.pitch] bytes; null if the source failed.
  const std::uint8_t* next() noexcept;

 private:
  std::uint8_t* ring_row(std::int32_t pair) const noexcept;
  bool resize_block() noexcept;
  void pair_columns(const std::uint8_t* const* rows) noexcept;
  void count_steps() noexcept;

  const ImagePlan& plan_;
  const Passes& passes_;
  RowSource& source_;
  std::int32_t out_row_;
  std::int32_t begin_pair_;  // the first pair of the first output row
  std::int32_t done_pair_;   // row pairs before this one are resized across
  std::int32_t rows_left_;   // source rows to come
  std::int32_t ring_pairs_;  // a multiple of kRowPairs: a block does not wrap
  std::int32_t steps_ = 0;
  std::int32_t whole_steps_ = 0;  // that read nothing past what is readable of a row
  std::uint8_t* columns_ = nullptr;
  std::uint8_t* blended_ = nullptr;
  std::uint8_t* ring_ = nullptr;
  std::uint8_t* row_ = nullptr;
  const std::uint8_t** window_ = nullptr;
};

}  // namespace bindrt::kernels::image
