// Holds the window of a picture that its square depends on, and makes the squares of several at once.
#include "csrc/prepare/decoded_picture.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/image/image_gpu.h"
#include "kernels/image/image_rows.h"

namespace bindrt::prepare {
namespace {

using kernels::Decoded;
using kernels::OutType;
using kernels::Picture;

constexpr std::int64_t kPlane = std::int64_t{kernels::kPictureSide} * kernels::kPictureSide;
constexpr std::int64_t kMostWindow = 3 * 2 * kPlane * static_cast<std::int64_t>(sizeof(float));

// Bytes that a resized square has.
constexpr std::int64_t square_bytes(kernels::PixelLayout layout) {
  return kPlane * (kernels::pixel_bytes(layout) == 1 ? 1 : 3);
}

// A picture of which only the window may be read, which lies `before` bytes after its first pixel, unless
// the whole is there.
struct Held {
  Picture picture;
  std::int64_t before;
  LeftBytes bytes;
  kernels::ByteScale scale;
  std::int32_t frames;
  bool is_whole = false;

  Picture at(const std::byte* window) const noexcept {
    Picture placed = picture;
    placed.pixels = reinterpret_cast<const std::uint8_t*>(window) - before;
    return placed;
  }
};

// After reserve().
std::int32_t frames_of(const kernels::ByteScale& scale, const Slots& slots) {
  return static_cast<std::int32_t>(slots.view_numbers() / (scale.planes * kPlane));
}

LeftBytes room_for(std::int64_t bytes, Slots& slots) {
  const auto size = static_cast<std::size_t>(bytes);
  return {slots.room(size, 1), size};
}

class DecodedPicture final : public Decoded {
 public:
  explicit DecodedPicture(Held held) : held_(std::move(held)) {}

  bool make(void* out) const noexcept override {
    return held_.bytes.here([&](const std::byte* window) {
      const Picture picture = held_.at(window);
      if (held_.is_whole) {
        return kernels::image_to_input(picture, held_.scale, kernels::kPictureSide, OutType::kFloat32, out, 1,
                                       held_.frames);
      }
      kernels::MemoryRows rows(reinterpret_cast<const std::uint8_t*>(window), picture.row_stride,
                               picture.row_stride);
      return kernels::image_to_input(picture.width, picture.height, picture.layout, rows, held_.scale,
                                     kernels::kPictureSide, OutType::kFloat32, out, held_.frames);
    });
  }

  // All items are of one lane, and so have the same scale and frames.
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, OutType type,
             void* out) const override {
    std::vector<Picture> pictures;
    for (const Decoded* const item : items) {
      const Held& held = static_cast<const DecodedPicture*>(item)->held_;
      pictures.push_back(held.at(held.bytes.on(queue)));
    }
    kernels::image_to_input_gpu(queue, pictures.data(), std::ssize(pictures), held_.scale,
                                kernels::kPictureSide, type, out, held_.frames);
  }

 private:
  const Held held_;
};

}  // namespace

DecodedRows::DecodedRows(std::int32_t width, std::int32_t height, kernels::PixelLayout layout,
                         const kernels::ImageWindow& window, Slots& slots)
    : width_(width),
      height_(height),
      layout_(layout),
      window_(window),
      row_bytes_(std::int64_t{window.columns} * kernels::pixel_bytes(layout)),
      resizes_(row_bytes_ * window.rows > kMostWindow),
      memory_(room_for(resizes_ ? square_bytes(layout) : row_bytes_ * window.rows, slots)) {}

bool DecodedRows::read(kernels::RowSource& source) noexcept {
  if (resizes_) {
    return kernels::image_to_bytes(width_, height_, layout_, source, kernels::kPictureSide,
                                   reinterpret_cast<std::uint8_t*>(memory_.room()));
  }
  constexpr std::int32_t kBlock = 16;
  const std::uint8_t* rows[kBlock];
  std::byte* to = memory_.room();
  for (std::int32_t y = 0; y < window_.rows; y += kBlock) {
    const std::int32_t count = std::min(kBlock, window_.rows - y);
    if (!source.next(count, rows)) {
      return false;
    }
    for (std::int32_t i = 0; i < count; ++i, to += row_bytes_) {
      std::memcpy(to, rows[i], static_cast<std::size_t>(row_bytes_));
    }
  }
  return true;
}

void DecodedRows::leave(const kernels::ByteScale& scale, Slots& slots) {
  slots.reserve(1);
  Held held{
      {nullptr, width_, height_, row_bytes_, layout_},
      window_.first_row * row_bytes_ + std::int64_t{window_.first_column} * kernels::pixel_bytes(layout_),
      std::move(memory_),
      scale,
      frames_of(scale, slots)};
  if (resizes_) {  // to resize a square of this size once more leaves it as it is
    constexpr std::int32_t kSide = kernels::kPictureSide;
    held.picture = {nullptr, kSide, kSide, square_bytes(layout_) / kSide,
                    kernels::pixel_bytes(layout_) == 1 ? layout_ : kernels::PixelLayout::kRgb};
    held.before = 0;
  }
  slots.leave(std::make_shared<DecodedPicture>(std::move(held)));
}

bool leave_picture(const Picture& picture, const kernels::ByteScale& scale, Slots& slots) {
  kernels::ImageWindow window{};
  if (!slots.may_leave() ||
      !kernels::image_window(picture.width, picture.height, kernels::kPictureSide, window)) {
    return false;
  }
  DecodedRows rows(picture.width, picture.height, picture.layout, window, slots);
  kernels::MemoryRows source(picture, window.first_column, window.first_row);
  if (!rows.has_room() || !rows.read(source)) {
    return false;
  }
  rows.leave(scale, slots);
  return true;
}

bool leave_lent_picture(const Picture& picture, std::shared_ptr<const kernels::Lent> lent,
                        const kernels::ByteScale& scale, Slots& slots) {
  if (!slots.may_leave()) {
    return false;
  }
  slots.reserve(1);
  slots.leave(std::make_shared<DecodedPicture>(
      Held{picture, 0, LeftBytes(std::move(lent)), scale, frames_of(scale, slots), true}));
  return true;
}

}  // namespace bindrt::prepare
