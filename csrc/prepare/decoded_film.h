// Frames of a video of which a device makes the views: their planes go there as they were decoded.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "csrc/prepare/left_bytes.h"
#include "csrc/prepare/prepare.h"
#include "kernels/video/video.h"

namespace bindrt::prepare {

class DecodedFilm final : public kernels::Decoded {
 public:
  // Null where there is no room for so many frames of this size and format, which have so many views.
  static std::shared_ptr<DecodedFilm> with_room(const kernels::DecodedPicture& frame, std::size_t frames,
                                                std::int64_t views, Slots& slots);

  // For frames that are on the device already, of so many views.
  static std::shared_ptr<DecodedFilm> of_lent(std::int64_t views);

  // Memory of the device in which the planes of the frames lie that are added next; they stay there.
  void lend(std::shared_ptr<const kernels::Lent> lent);

  // The next frame, and where its crops go from the item's first number on. False if it is larger than the
  // first.
  bool add(const kernels::CropRequest& request);

  bool make(void* out) const noexcept override;
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, kernels::OutType type,
             void* out) const override;

 private:
  explicit DecodedFilm(std::int64_t views) : views_(views) {}

  struct Frame {
    kernels::CropRequest request;  // planes as if the piece began at `begin`; targets below
    std::vector<kernels::CropTarget> targets;
  };
  // Frames whose planes lie together.
  struct Piece {
    LeftBytes bytes;
    const std::byte* begin;
    std::vector<Frame> frames;

    std::vector<kernels::CropRequest> requests(const std::byte* planes, kernels::OutType type,
                                               void* out) const;
  };
  void pack(const Piece& piece, kernels::DecodedPicture& picture) const;

  const std::int64_t views_;
  std::size_t frame_bytes_ = 0;  // of room for each
  std::size_t most_frames_ = 0;  // that there is room for
  std::vector<Piece> pieces_;
};

}  // namespace bindrt::prepare
