// Frames of a video of which a device makes the views: their planes go there as they were decoded.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "csrc/prepare/prepare.h"
#include "kernels/video/video.h"

namespace bindrt::prepare {

class DecodedFilm final : public kernels::Decoded {
 public:
  // Null where there is no room for so many frames of this size and format, which have so many views.
  static std::shared_ptr<DecodedFilm> with_room(const kernels::DecodedPicture& frame, std::size_t frames,
                                                std::int64_t views, Slots& slots);

  // The next frame, and where its crops go from the item's first number on. False if it is larger than the
  // first.
  bool add(const kernels::CropRequest& request);

  bool make(void* out) const noexcept override;
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, void* out) const override;

 private:
  DecodedFilm(std::shared_ptr<std::byte> memory, std::size_t frame_bytes, std::size_t frames,
              std::int64_t views);

  struct Frame {
    kernels::CropRequest request;  // planes in `memory_`, targets below
    std::vector<kernels::CropTarget> targets;
  };
  std::vector<kernels::CropRequest> requests(const std::byte* planes, void* out) const;

  const std::shared_ptr<std::byte> memory_;
  const std::size_t frame_bytes_;
  const std::size_t most_frames_;
  const std::int64_t views_;
  std::vector<Frame> frames_;
};

}  // namespace bindrt::prepare
