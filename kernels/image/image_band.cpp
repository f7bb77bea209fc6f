// Resizes a picture band by band: blocks of sixteen rows across, then one output row at a time down.
#include "kernels/image/image_band.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "kernels/base/dispatch.h"
#include "kernels/base/scratch.h"
#include "kernels/resize/square.h"

namespace bindrt::kernels::image {
namespace {

template <class Integer>
constexpr Integer round_up(Integer value, Integer step) {
  return (value + step - 1) / step * step;
}

Grouping grouping_of(PixelLayout layout) {
  const std::int32_t bytes = pixel_bytes(layout);
  Grouping grouping{bytes == 1 ? 1 : 3, bytes == 1 ? 16 : 4, bytes == 1 ? 16 : 4 * bytes, {}};
  const bool reversed = layout == PixelLayout::kBgr || layout == PixelLayout::kBgrx;
  std::fill_n(grouping.order, 16, std::uint8_t{128});
  for (std::int32_t i = 0; i < 2 * grouping.units(); ++i) {
    const std::int32_t channel = i / 2 % grouping.channels;
    const std::int32_t pixel = i / (2 * grouping.channels) * 2 + i % 2;
    const std::int32_t offset = reversed ? 2 - channel : channel;
    grouping.order[i] = static_cast<std::uint8_t>(pixel * bytes + offset);
  }
  return grouping;
}

const Passes& passes() noexcept {
#if defined(__x86_64__)
  return *choose(&kBaselinePasses, &kAvx2Passes, &kAvx512Passes);
#else
  return kBaselinePasses;
#endif
}

}  // namespace

bool ImagePlan::make(std::int32_t width, std::int32_t height, PixelLayout pixel_layout,
                     std::int32_t new_side) noexcept {
  const SquareAxes axes = centre_square(width, height, new_side, ResizeFilter::kBicubic);
  side = new_side;
  layout = pixel_layout;
  grouping = grouping_of(layout);
  across = antialias_taps(axes.across);
  down = antialias_taps(axes.down);
  pitch = round_up(side, kLanes);
  lanes = pitch * grouping.channels;
  return across != nullptr && down != nullptr;
}

std::int32_t ImagePlan::first_source_row(std::int32_t begin) const noexcept {
  return down->first_input + 2 * down->pair_begins[static_cast<std::size_t>(begin)];
}

std::int32_t ImagePlan::last_source_row(std::int32_t end) const noexcept {
  const auto last = static_cast<std::size_t>(end - 1);
  return std::min(down->first_input + 2 * (down->pair_begins[last] + down->pair_counts[last]),
                  down->last_input);
}

Band::Band(const ImagePlan& plan, RowSource& source, std::int32_t begin, std::int32_t end) noexcept
    : plan_(plan),
      passes_(passes()),
      source_(source),
      out_row_(begin),
      begin_pair_(plan.down->pair_begins[static_cast<std::size_t>(begin)]),
      done_pair_(begin_pair_),
      rows_left_(plan.last_source_row(end) - plan.first_source_row(begin)),
      ring_pairs_(round_up(plan.down->pair_width + kRowPairs, kRowPairs)) {
  count_steps();
}

void Band::count_steps() noexcept {
  const std::int64_t pixels = plan_.across->last_input - plan_.across->first_input;
  const std::int64_t step_pixels = plan_.grouping.pixels_in_step();
  const std::int64_t step_bytes = plan_.grouping.bytes_in_step();
  steps_ = static_cast<std::int32_t>(round_up(pixels, step_pixels) / step_pixels);
  const std::int64_t whole =
      source_.readable < kStepBytes ? 0 : (source_.readable - kStepBytes) / step_bytes + 1;
  whole_steps_ = static_cast<std::int32_t>(std::min<std::int64_t>(whole, steps_));
}

bool Band::allocate() noexcept {
  static thread_local Scratch<std::uint8_t> memory;
  static thread_local Scratch<const std::uint8_t*> pointers;
  const auto columns =
      static_cast<std::size_t>(steps_) * static_cast<std::size_t>(plan_.grouping.columns_bytes_in_step());
  const std::size_t lanes = static_cast<std::size_t>(plan_.lanes);
  const std::size_t ring = 2 * lanes * static_cast<std::size_t>(ring_pairs_);
  columns_ = memory.get(columns + lanes * kRows + ring + lanes);
  window_ = pointers.get(static_cast<std::size_t>(plan_.down->pair_width));
  if (columns_ == nullptr || window_ == nullptr) {
    return false;
  }
  blended_ = columns_ + columns;
  ring_ = blended_ + lanes * kRows;
  row_ = ring_ + ring;
  std::memset(blended_, 0, lanes * kRows);  // lanes past the last column stay zero
  return true;
}

const std::uint8_t* Band::next() noexcept {
  const AxisTaps& down = *plan_.down;
  const auto i = static_cast<std::size_t>(out_row_++);
  const std::int32_t begin = down.pair_begins[i];
  const std::int32_t count = down.pair_counts[i];
  while (done_pair_ < begin + count) {
    if (!resize_block()) {
      return nullptr;
    }
  }
  for (std::int32_t k = 0; k < count; ++k) {
    window_[k] = ring_row(begin + k);
  }
  const std::int16_t* const weights = &down.pair_weights[i * static_cast<std::size_t>(down.pair_width) * 4];
  passes_.blend_rows(window_, weights, count, plan_.lanes, row_);
  return row_;
}

std::uint8_t* Band::ring_row(std::int32_t pair) const noexcept {
  return ring_ + std::ptrdiff_t{(pair - begin_pair_) % ring_pairs_} * 2 * plan_.lanes;
}

// The next sixteen rows, resized across. Past the last row it is repeated, with no weight.
bool Band::resize_block() noexcept {
  std::array<const std::uint8_t*, kRows> rows;
  const std::int32_t count = std::min(rows_left_, kRows);
  if (!source_.next(count, rows.data())) {
    return false;
  }
  rows_left_ -= count;
  std::fill(rows.begin() + count, rows.end(), rows[static_cast<std::size_t>(count - 1)]);
  pair_columns(rows.data());
  passes_.blend_columns(columns_, *plan_.across, plan_.grouping.channels, plan_.pitch, blended_);
  std::array<std::uint8_t*, kRowPairs> pairs;
  for (std::int32_t pair = 0; pair < kRowPairs; ++pair) {
    pairs[static_cast<std::size_t>(pair)] = ring_row(done_pair_ + pair);
  }
  passes_.turn(blended_, plan_.lanes, pairs.data());
  done_pair_ += kRowPairs;
  return true;
}

// Steps that would read past what is readable work on a copy.
void Band::pair_columns(const std::uint8_t* const* rows) noexcept {
  passes_.pair_columns(rows, plan_.grouping, whole_steps_, columns_);
  const std::int64_t needed =
      std::int64_t{plan_.across->last_input - plan_.across->first_input} * pixel_bytes(plan_.layout);
  for (std::int32_t step = whole_steps_; step < steps_; ++step) {
    std::uint8_t copies[kRows][kStepBytes] = {};
    std::array<const std::uint8_t*, kRows> starts;
    const std::int64_t at = std::int64_t{step} * plan_.grouping.bytes_in_step();
    const auto bytes = static_cast<std::size_t>(std::min<std::int64_t>(needed - at, kStepBytes));
    for (std::size_t row = 0; row < kRows; ++row) {
      std::memcpy(copies[row], rows[row] + at, bytes);
      starts[row] = copies[row];
    }
    passes_.pair_columns(starts.data(), plan_.grouping, 1,
                         columns_ + std::int64_t{step} * plan_.grouping.columns_bytes_in_step());
  }
}

}  // namespace bindrt::kernels::image
