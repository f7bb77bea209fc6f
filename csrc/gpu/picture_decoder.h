// Pictures that a library decodes on the device, and the rows of batches that are made of them there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "csrc/gpu/memory_pool.h"
#include "csrc/gpu/queue.h"
#include "csrc/pipeline/together.h"
#include "kernels/base/decoded.h"

namespace bindrt::gpu {

// A picture of 8 bits of red, green and blue in device memory.
struct DevicePicture {
  cu::Pointer pixels = 0;  // 0: the file was refused
  std::int64_t row_stride = 0;
};

// Decodes files with a library: what the stream gets from then on finds the pictures in `out`. Returns what
// keeps their memory; it goes before the stream does, once the stream's work is done. Two threads may call at
// once, with a stream each. What it throws is a std::exception.
using DecodePictures = std::function<std::shared_ptr<const void>(
    std::span<const kernels::EncodedPicture> files, cu::Stream stream, std::span<DevicePicture> out)>;

// Pixels that a picture has at least, by its coding; none: such a picture is not decoded on the device.
struct DecodeFrom {
  std::array<std::optional<std::int64_t>, kernels::kPictureCodings> pixels{};

  std::optional<std::int64_t>& of(kernels::PictureCoding coding) noexcept {
    return pixels[static_cast<std::size_t>(coding)];
  }
  bool allows(kernels::PictureCoding coding, std::int64_t size) const noexcept {
    const auto& least = pixels[static_cast<std::size_t>(coding)];
    return least.has_value() && size >= *least;
  }
};

// Threads that have a picture each at the same time have them decoded together: a library takes less time for
// several than for one after the other. Of a picture only its row of a batch is kept, float32
// [3, frames, 224, 224].
class PictureDecoder {
 public:
  // While the device decodes one group, the host reads the files of another. 200 million pixels are 600 MB,
  // which the library takes of the device's memory meanwhile. Decoding JPEG 2000 takes that for fewer pixels.
  static constexpr std::size_t kGroups = 2;
  static constexpr std::size_t kMostPictures = 16;
  static constexpr std::int64_t kMostPixels = 200'000'000;
  // Device memory for rows whose batches are not over, at most.
  static constexpr std::size_t kMostRows = std::size_t{256} << 20;
  // For the rows of a group, and what is between the two resizings: 16 pictures have 19 and 38 MB.
  static constexpr QueueLimits kQueue{
      .scratch = std::size_t{64} << 20, .tables = std::size_t{8} << 20, .staged = std::size_t{8} << 20};
  // What decoding takes of the device, besides what the library keeps.
  static constexpr std::size_t kMostBytes =
      kMostRows + kGroups * (3 * static_cast<std::size_t>(kMostPixels) + kQueue.on_device());

  // How many pixels of a JPEG take as much memory.
  static std::int64_t weight(const kernels::EncodedPicture& picture) noexcept;

  // The frames of a row of so many bytes; 0 if it is no row of pictures.
  static std::int32_t frames_of(std::int64_t row_bytes) noexcept;

  // The context must outlive it and all that it made.
  PictureDecoder(Context& context, std::int32_t frames, DecodePictures decode,
                 std::size_t most_rows = kMostRows);

  // Null if the library refuses the file, or fails, or memory does not suffice. Any thread may call.
  std::shared_ptr<const kernels::Decoded> decode(const kernels::EncodedPicture& picture);

 private:
  struct Piece {
    const kernels::EncodedPicture& picture;
    std::shared_ptr<const kernels::Decoded> decoded = nullptr;
  };
  using Group = std::span<Piece* const>;
  using Rows = std::vector<std::shared_ptr<std::byte>>;

  void decode_group(Group group, StreamQueue& queue) noexcept;
  void make_rows(Group group, std::span<const DevicePicture> pictures, StreamQueue& queue, Rows& kept);

  Context& context_;
  const std::int32_t frames_;
  const DecodePictures decode_;
  const std::shared_ptr<DevicePool> rows_;
  std::vector<std::unique_ptr<StreamQueue>> queues_;  // one a group
  pipeline::Together<Piece> together_;
};

}  // namespace bindrt::gpu
