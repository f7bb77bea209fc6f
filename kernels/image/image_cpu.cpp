// The image op on the CPU.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

#include "kernels/base/parallel.h"
#include "kernels/image/image.h"
#include "kernels/image/image_band.h"
#include "kernels/image/image_rows.h"

namespace bindrt::kernels {
namespace {

using image::Band;
using image::ImagePlan;

// Calls `write(plan, y, row)` for output rows [begin, end). False if the source failed or there is no memory.
template <class Write>
bool write_rows(const ImagePlan& plan, RowSource& source, std::int32_t begin, std::int32_t end,
                const Write& write) noexcept {
  Band band(plan, source, begin, end);
  if (!band.allocate()) {
    return false;
  }
  for (std::int32_t y = begin; y < end; ++y) {
    const std::uint8_t* const row = band.next();
    if (row == nullptr) {
      return false;
    }
    write(plan, y, row);
  }
  return true;
}

// Does that for all output rows of a picture in memory, from several threads.
template <class Write>
bool write_picture(const Picture& picture, std::int32_t side, int threads, const Write& write) noexcept {
  ImagePlan plan;
  if (!plan.make(picture.width, picture.height, picture.layout, side)) {
    return false;
  }
  std::atomic<bool> good{true};
  const std::int64_t grain = (side + std::max(threads, 1) - 1) / std::max(threads, 1);
  parallel_for(side, grain, threads, [&](std::int64_t from, std::int64_t to) {
    const auto begin = static_cast<std::int32_t>(from);
    MemoryRows source(picture, plan.across->first_input, plan.first_source_row(begin));
    if (!write_rows(plan, source, begin, static_cast<std::int32_t>(to), write)) {
      good.store(false, std::memory_order_relaxed);
    }
  });
  return good.load(std::memory_order_relaxed);
}

// Writes rows as numbers of [planes, frames, side, side], looked up: a number depends on one byte only.
template <class Number>
class InputWriter {
 public:
  InputWriter(const ByteScale& scale, void* out, std::int32_t frames) noexcept
      : planes_(scale.planes), frames_(frames), out_(static_cast<Number*>(out)) {
    const OutType type = sizeof(Number) == 4 ? OutType::kFloat32 : OutType::kFloat16;
    for (std::int32_t plane = 0; plane < planes_; ++plane) {
      for (std::int32_t value = 0; value < 256; ++value) {
        store(values_[static_cast<std::size_t>(plane)].data(), type, value,
              scale_byte(scale, plane, static_cast<std::uint8_t>(value)));
      }
    }
  }

  void operator()(const ImagePlan& plan, std::int32_t y, const std::uint8_t* row) const noexcept {
    for (std::int32_t plane = 0; plane < planes_; ++plane) {
      const std::uint8_t* const bytes = row + (plan.grouping.channels == 1 ? 0 : plane * plan.pitch);
      const Number* const values = values_[static_cast<std::size_t>(plane)].data();
      Number* const to = out_ + (std::ptrdiff_t{plane} * frames_ * plan.side + y) * plan.side;
      for (std::int32_t x = 0; x < plan.side; ++x) {
        to[x] = values[bytes[x]];
      }
      for (std::int32_t frame = 1; frame < frames_; ++frame) {
        std::copy_n(to, plan.side, to + std::ptrdiff_t{frame} * plan.side * plan.side);
      }
    }
  }

 private:
  std::int32_t planes_;
  std::int32_t frames_;
  Number* out_;
  std::array<std::array<Number, 256>, 3> values_;
};

// Writes rows as bytes of [side, side, channels].
struct BytesWriter {
  std::uint8_t* out;

  void operator()(const ImagePlan& plan, std::int32_t y, const std::uint8_t* row) const noexcept {
    const std::int32_t channels = plan.grouping.channels;
    std::uint8_t* const to = out + std::ptrdiff_t{y} * plan.side * channels;
    for (std::int32_t x = 0; x < plan.side; ++x) {
      for (std::int32_t channel = 0; channel < channels; ++channel) {
        to[x * channels + channel] = row[channel * plan.pitch + x];
      }
    }
  }
};

}  // namespace

bool image_to_input(const Picture& picture, const ByteScale& scale, std::int32_t side, OutType type,
                    void* out, int threads, std::int32_t frames) noexcept {
  return type == OutType::kFloat32
             ? write_picture(picture, side, threads, InputWriter<float>(scale, out, frames))
             : write_picture(picture, side, threads, InputWriter<std::uint16_t>(scale, out, frames));
}

bool image_to_bytes(const Picture& picture, std::int32_t side, std::uint8_t* out, int threads) noexcept {
  return write_picture(picture, side, threads, BytesWriter{out});
}

bool image_window(std::int32_t width, std::int32_t height, std::int32_t side, ImageWindow& window) noexcept {
  ImagePlan plan;
  if (!plan.make(width, height, PixelLayout::kGrey, side)) {
    return false;
  }
  window = {plan.across->first_input, plan.across->last_input - plan.across->first_input,
            plan.first_source_row(0), plan.last_source_row(side) - plan.first_source_row(0)};
  return true;
}

bool image_to_input(std::int32_t width, std::int32_t height, PixelLayout layout, RowSource& source,
                    const ByteScale& scale, std::int32_t side, OutType type, void* out,
                    std::int32_t frames) noexcept {
  ImagePlan plan;
  if (!plan.make(width, height, layout, side)) {
    return false;
  }
  return type == OutType::kFloat32
             ? write_rows(plan, source, 0, side, InputWriter<float>(scale, out, frames))
             : write_rows(plan, source, 0, side, InputWriter<std::uint16_t>(scale, out, frames));
}

bool image_to_bytes(std::int32_t width, std::int32_t height, PixelLayout layout, RowSource& source,
                    std::int32_t side, std::uint8_t* out) noexcept {
  ImagePlan plan;
  return plan.make(width, height, layout, side) && write_rows(plan, source, 0, side, BytesWriter{out});
}

}  // namespace bindrt::kernels
