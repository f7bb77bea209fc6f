// Decodes groups of pictures, and makes their rows.
#include "csrc/gpu/picture_decoder.h"

#include <exception>
#include <utility>

#include "csrc/gpu/lent_rows.h"
#include "kernels/image/image_gpu.h"

namespace bindrt::gpu {
namespace {

using kernels::Decoded;
using kernels::EncodedPicture;
using kernels::Picture;

// JPEG 2000, beside the 3 bytes of a pixel that are kept: coefficients of each colour are 4 bytes, and each
// step of the wavelets reads and writes them.
constexpr std::int64_t kJpeg2000Weight = (3 + 2 * 3 * 4) / 3;

constexpr std::int64_t kFrameBytes = std::int64_t{3} * kernels::kPictureSide * kernels::kPictureSide *
                                     static_cast<std::int64_t>(sizeof(float));

// Ends what a group's stream has, and lets what kept the pictures go after that, however the group ends.
class PicturesInUse {
 public:
  explicit PicturesInUse(StreamQueue& queue) : queue_(queue) {}
  PicturesInUse(const PicturesInUse&) = delete;
  PicturesInUse& operator=(const PicturesInUse&) = delete;
  ~PicturesInUse() {
    queue_.context().ask(&cu::Api::stream_synchronize, queue_.stream().handle());
    owner = nullptr;
  }

  std::shared_ptr<const void> owner;

 private:
  StreamQueue& queue_;
};

}  // namespace

std::int64_t PictureDecoder::weight(const EncodedPicture& picture) noexcept {
  return picture.pixels() * (picture.coding == kernels::PictureCoding::kJpeg2000 ? kJpeg2000Weight : 1);
}

std::int32_t PictureDecoder::frames_of(std::int64_t row_bytes) noexcept {
  return row_bytes % kFrameBytes == 0 ? static_cast<std::int32_t>(row_bytes / kFrameBytes) : 0;
}

PictureDecoder::PictureDecoder(Context& context, std::int32_t frames, DecodePictures decode,
                               std::size_t most_rows)
    : context_(context),
      frames_(frames),
      decode_(std::move(decode)),
      rows_(std::make_shared<DevicePool>(context, most_rows)),
      together_(
          {kGroups, kMostPictures, kMostPixels}, [](const Piece& piece) { return weight(piece.picture); },
          [this](Group group, std::size_t number) { decode_group(group, *queues_[number]); }) {
  while (queues_.size() < kGroups) {
    queues_.push_back(std::make_unique<StreamQueue>(context, kQueue));
  }
}

std::shared_ptr<const Decoded> PictureDecoder::decode(const EncodedPicture& picture) {
  Piece piece{picture};
  together_.run(piece);
  return std::move(piece.decoded);
}

// Pictures of a group that fails are decoded elsewhere.
void PictureDecoder::decode_group(Group group, StreamQueue& queue) noexcept {
  try {
    queue.rewind();
    std::vector<EncodedPicture> files;
    for (const Piece* const each : group) {
      files.push_back(each->picture);
    }
    std::vector<DevicePicture> pictures(group.size());
    Rows rows;  // as the pictures, goes when the stream's work is done
    PicturesInUse in_use(queue);
    in_use.owner = decode_(files, queue.stream().handle(), pictures);
    make_rows(group, pictures, queue, rows);
  } catch (const std::exception&) {
    for (Piece* const each : group) {
      each->decoded = nullptr;
    }
  }
}

// Each row for itself: their batches end at different times.
void PictureDecoder::make_rows(Group group, std::span<const DevicePicture> pictures, StreamQueue& queue,
                               Rows& kept) {
  std::vector<Piece*> of;
  std::vector<Picture> decoded;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (pictures[i].pixels != 0) {
      const EncodedPicture& file = group[i]->picture;
      of.push_back(group[i]);
      decoded.push_back({reinterpret_cast<const std::uint8_t*>(pictures[i].pixels), file.width, file.height,
                         pictures[i].row_stride, kernels::PixelLayout::kRgb});
    }
  }
  if (of.empty()) {
    return;
  }
  const auto row = static_cast<std::size_t>(frames_ * kFrameBytes);
  auto* const rows = static_cast<std::byte*>(queue.scratch(of.size() * row));
  kernels::image_to_input_gpu(queue, decoded.data(), std::ssize(decoded), kernels::kClipScale,
                              kernels::kPictureSide, kernels::OutType::kFloat32, rows, frames_);
  for (std::size_t i = 0; i < of.size(); ++i) {
    kept.push_back(rows_->take(row));
    if (kept.back() != nullptr) {
      context_.call("keeping a row on the GPU", &cu::Api::copy_on_device,
                    reinterpret_cast<cu::Pointer>(kept.back().get()),
                    reinterpret_cast<cu::Pointer>(rows + i * row), row, queue.stream().handle());
    }
  }
  Event made(context_, Event::Timing::kOff, Event::Waiting::kSleep);
  made.record(queue.stream());
  made.wait();
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (kept[i] != nullptr) {
      const auto address = reinterpret_cast<cu::Pointer>(kept[i].get());
      auto memory = std::make_shared<const LentMemory>(context_, address, row, nullptr, kept[i]);
      of[i]->decoded = std::make_shared<const LentRows>(
          std::move(memory), RowLayout{.part_bytes = static_cast<std::int64_t>(row)});
    }
  }
}

}  // namespace bindrt::gpu
