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
  static std::shared_ptr<DecodedFilm> of_lent(std::shared_ptr<const kernels::Lent> lent, std::int64_t views);

  // The next frame, and where its crops go from the item's first number on. False if it is larger than the
  // first. Of one that is lent the planes stay where they are.
  bool add(const kernels::CropRequest& request);

  bool make(void* out) const noexcept override;
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, void* out) const override;

 private:
  DecodedFilm(LeftBytes bytes, const std::byte* begin, std::size_t frame_bytes, std::int64_t views)
      : bytes_(std::move(bytes)), begin_(begin), frame_bytes_(frame_bytes), views_(views) {}
  void pack(kernels::DecodedPicture& picture);

  struct Frame {
    kernels::CropRequest request;  // planes as if `bytes_` began at `begin_`; targets below
    std::vector<kernels::CropTarget> targets;
  };
  std::vector<kernels::CropRequest> requests(const std::byte* planes, void* out) const;

  const LeftBytes bytes_;
  const std::byte* const begin_;
  const std::size_t frame_bytes_;  // of room for each
  const std::int64_t views_;
  std::size_t most_frames_ = 0;  // that there is room for
  std::vector<Frame> frames_;
};

}  // namespace bindrt::prepare
