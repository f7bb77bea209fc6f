#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>

#include "kernels/antialias.h"
#include "kernels/dispatch.h"
#include "kernels/image.h"
#include "kernels/image_passes.h"
#include "kernels/parallel.h"
#include "kernels/scratch.h"
#include "kernels/square.h"

namespace bindrt::kernels {
namespace {

using image::Grouping;
using image::kColumnBytes;
using image::kLanes;
using image::kRowPairs;
using image::kRows;
using image::kStepBytes;
using image::Passes;

constexpr std::int64_t round_up(std::int64_t value, std::int64_t step) {
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
  return *choose(&image::kBaselinePasses, &image::kAvx2Passes, &image::kAvx512Passes);
#else
  return image::kBaselinePasses;
#endif
}

// What all bands of a picture share.
struct Plan {
  const Picture& picture;
  std::int32_t side;
  Grouping grouping;
  std::shared_ptr<const AxisTaps> across;
  std::shared_ptr<const AxisTaps> down;
  std::int32_t pitch;  // lanes of one channel
  std::int32_t lanes;  // of all channels
};

bool make_plan(const Picture& picture, std::int32_t side, Plan& plan) noexcept {
  const SquareAxes axes = centre_square(picture.width, picture.height, side, ResizeFilter::kBicubic);
  plan.across = antialias_taps(axes.across);
  plan.down = antialias_taps(axes.down);
  plan.pitch = static_cast<std::int32_t>(round_up(side, kLanes));
  plan.lanes = plan.pitch * plan.grouping.channels;
  return plan.across != nullptr && plan.down != nullptr;
}

// Makes output rows one after the other. Rows resized across are kept in a ring, only as many as the pass
// down needs.
class Band {
 public:
  Band(const Plan& plan, std::int32_t first_row) noexcept
      : plan_(plan),
        passes_(passes()),
        begin_pair_(plan.down->pair_begins[static_cast<std::size_t>(first_row)]),
        done_pair_(begin_pair_),
        ring_pairs_(static_cast<std::int32_t>(round_up(plan.down->pair_width + kRowPairs, kRowPairs))) {
    const AxisTaps& across = *plan.across;
    const std::int64_t pixels = across.last_input - across.first_input;
    const std::int32_t step = plan.grouping.pixels_in_step();
    const std::int64_t readable =
        std::int64_t{plan.picture.width - across.first_input} * pixel_bytes(plan.picture.layout);
    steps_ = static_cast<std::int32_t>((pixels + step - 1) / step);
    const std::int64_t step_bytes = std::int64_t{image::kGroupsInStep} * plan.grouping.bytes;
    const std::int64_t whole = readable < kStepBytes ? 0 : (readable - kStepBytes) / step_bytes + 1;
    whole_steps_ = static_cast<std::int32_t>(std::min<std::int64_t>(whole, steps_));
  }

  bool allocate() noexcept {
    static thread_local Scratch<std::uint8_t> memory;
    static thread_local Scratch<const std::uint8_t*> pointers;
    const auto columns = static_cast<std::size_t>(steps_) *
                         static_cast<std::size_t>(plan_.grouping.pixels_in_step() / 2) *
                         static_cast<std::size_t>(plan_.grouping.channels * kColumnBytes);
    const auto lanes = static_cast<std::size_t>(plan_.lanes);
    const std::size_t ring = 2 * lanes * static_cast<std::size_t>(ring_pairs_);
    std::uint8_t* const base = memory.get(columns + lanes * kRows + ring + lanes);
    window_ = pointers.get(static_cast<std::size_t>(plan_.down->pair_width));
    if (base == nullptr || window_ == nullptr) {
      return false;
    }
    columns_ = base;
    blended_ = columns_ + columns;
    ring_ = blended_ + lanes * kRows;
    row_ = ring_ + ring;
    std::memset(blended_, 0, lanes * kRows);  // lanes past the last column stay zero
    return true;
  }

  // Output row `y`, [channel, pitch]. Rows are asked for in order.
  const std::uint8_t* row(std::int32_t y) noexcept {
    const AxisTaps& down = *plan_.down;
    const auto i = static_cast<std::size_t>(y);
    const std::int32_t begin = down.pair_begins[i];
    const std::int32_t count = down.pair_counts[i];
    while (done_pair_ < begin + count) {
      resize_block();
    }
    for (std::int32_t k = 0; k < count; ++k) {
      window_[k] = ring_row(begin + k);
    }
    passes_.blend_rows(window_, &down.pair_weights[i * static_cast<std::size_t>(down.pair_width) * 4], count,
                       plan_.lanes, row_);
    return row_;
  }

 private:
  std::uint8_t* ring_row(std::int32_t pair) const noexcept {
    return ring_ + std::ptrdiff_t{(pair - begin_pair_) % ring_pairs_} * 2 * plan_.lanes;
  }

  // The next sixteen rows, resized across.
  void resize_block() noexcept {
    std::array<const std::uint8_t*, kRows> rows;
    const AxisTaps& down = *plan_.down;
    const std::int64_t first = down.first_input + 2 * std::int64_t{done_pair_};
    for (std::int64_t row = 0; row < kRows; ++row) {  // past the last one it is repeated, with no weight
      const std::int64_t y = std::min<std::int64_t>(first + row, down.last_input - 1);
      rows[static_cast<std::size_t>(row)] =
          plan_.picture.pixels + y * plan_.picture.row_stride +
          std::ptrdiff_t{plan_.across->first_input} * pixel_bytes(plan_.picture.layout);
    }
    pair_columns(rows.data());
    passes_.blend_columns(columns_, *plan_.across, plan_.grouping.channels, plan_.pitch, blended_);
    std::array<std::uint8_t*, kRowPairs> pairs;
    for (std::int32_t pair = 0; pair < kRowPairs; ++pair) {
      pairs[static_cast<std::size_t>(pair)] = ring_row(done_pair_ + pair);
    }
    passes_.turn(blended_, plan_.lanes, pairs.data());
    done_pair_ += kRowPairs;
  }

  // Steps that would read past a row's end work on a copy.
  void pair_columns(const std::uint8_t* const* rows) noexcept {
    passes_.pair_columns(rows, plan_.grouping, whole_steps_, columns_);
    const std::int64_t step_bytes = std::int64_t{image::kGroupsInStep} * plan_.grouping.bytes;
    const std::ptrdiff_t step_out =
        std::ptrdiff_t{plan_.grouping.pixels_in_step() / 2} * plan_.grouping.channels * kColumnBytes;
    const std::int64_t needed = std::int64_t{plan_.across->last_input - plan_.across->first_input} *
                                pixel_bytes(plan_.picture.layout);
    for (std::int32_t step = whole_steps_; step < steps_; ++step) {
      std::uint8_t copies[kRows][kStepBytes] = {};
      std::array<const std::uint8_t*, kRows> starts;
      const std::int64_t at = step * step_bytes;
      const auto bytes = static_cast<std::size_t>(std::min<std::int64_t>(needed - at, kStepBytes));
      for (std::size_t row = 0; row < kRows; ++row) {
        std::memcpy(copies[row], rows[row] + at, bytes);
        starts[row] = copies[row];
      }
      passes_.pair_columns(starts.data(), plan_.grouping, 1, columns_ + step * step_out);
    }
  }

  const Plan& plan_;
  const Passes& passes_;
  std::int32_t begin_pair_;  // of the first output row
  std::int32_t done_pair_;   // row pairs before this one are resized across
  std::int32_t ring_pairs_;  // a multiple of kRowPairs: a block does not wrap
  std::int32_t steps_ = 0;
  std::int32_t whole_steps_ = 0;  // that read nothing past a row's end
  std::uint8_t* columns_ = nullptr;
  std::uint8_t* blended_ = nullptr;
  std::uint8_t* ring_ = nullptr;
  std::uint8_t* row_ = nullptr;
  const std::uint8_t** window_ = nullptr;
};

// Calls `write(y, row)` for every output row, from several threads.
template <class Write>
bool for_rows(const Picture& picture, std::int32_t side, int threads, Write write) noexcept {
  Plan plan{picture, side, grouping_of(picture.layout), nullptr, nullptr, 0, 0};
  if (!make_plan(picture, side, plan)) {
    return false;
  }
  std::atomic<bool> good{true};
  const std::int64_t grain = (side + std::max(threads, 1) - 1) / std::max(threads, 1);
  parallel_for(side, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    Band band(plan, static_cast<std::int32_t>(begin));
    if (!band.allocate()) {
      good.store(false, std::memory_order_relaxed);
      return;
    }
    for (auto y = static_cast<std::int32_t>(begin); y < end; ++y) {
      write(plan, y, band.row(y));
    }
  });
  return good.load(std::memory_order_relaxed);
}

// The 256 values of every plane.
template <class Number>
using ScaleTable = std::array<std::array<Number, 256>, 3>;

template <class Number>
ScaleTable<Number> make_table(const ByteScale& scale) noexcept {
  ScaleTable<Number> table{};
  const OutType type = sizeof(Number) == 4 ? OutType::kFloat32 : OutType::kFloat16;
  for (std::int32_t plane = 0; plane < scale.planes; ++plane) {
    for (std::int32_t value = 0; value < 256; ++value) {
      store(table[static_cast<std::size_t>(plane)].data(), type, value,
            scale_byte(scale, plane, static_cast<std::uint8_t>(value)));
    }
  }
  return table;
}

template <class Number>
bool to_input(const Picture& picture, const ByteScale& scale, std::int32_t side, Number* out,
              int threads) noexcept {
  const ScaleTable<Number> table = make_table<Number>(scale);
  const std::int32_t planes = scale.planes;
  const auto write = [&table, planes, out](const Plan& plan, std::int32_t y, const std::uint8_t* row) {
    for (std::int32_t plane = 0; plane < planes; ++plane) {
      const std::uint8_t* const bytes = row + (plan.grouping.channels == 1 ? 0 : plane * plan.pitch);
      const Number* const values = table[static_cast<std::size_t>(plane)].data();
      Number* const to = out + (std::ptrdiff_t{plane} * plan.side + y) * plan.side;
      for (std::int32_t x = 0; x < plan.side; ++x) {
        to[x] = values[bytes[x]];
      }
    }
  };
  return for_rows(picture, side, threads, write);
}

}  // namespace

bool image_to_input(const Picture& picture, const ByteScale& scale, std::int32_t side, OutType type,
                    void* out, int threads) noexcept {
  return type == OutType::kFloat32
             ? to_input(picture, scale, side, static_cast<float*>(out), threads)
             : to_input(picture, scale, side, static_cast<std::uint16_t*>(out), threads);
}

bool image_to_bytes(const Picture& picture, std::int32_t side, std::uint8_t* out, int threads) noexcept {
  return for_rows(picture, side, threads, [out](const Plan& plan, std::int32_t y, const std::uint8_t* row) {
    const std::int32_t channels = plan.grouping.channels;
    std::uint8_t* const to = out + std::ptrdiff_t{y} * plan.side * channels;
    for (std::int32_t x = 0; x < plan.side; ++x) {
      for (std::int32_t channel = 0; channel < channels; ++channel) {
        to[x * channels + channel] = row[channel * plan.pitch + x];
      }
    }
  });
}

}  // namespace bindrt::kernels
