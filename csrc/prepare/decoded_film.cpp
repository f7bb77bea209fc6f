// Packs the planes of a video's frames, and makes the crops of several videos at once.
#include "csrc/prepare/decoded_film.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "csrc/prepare/video_numbers.h"
#include "kernels/video/video_gpu.h"

namespace bindrt::prepare {
namespace {

using kernels::CropRequest;
using kernels::DecodedPicture;
using kernels::OutType;
using kernels::PixelFormat;

constexpr std::size_t kAlignment = 64;
constexpr std::int64_t kViewNumbers =
    std::int64_t{3} * kVideoFrames * kernels::kPictureSide * kernels::kPictureSide;

// Bytes of a row of a plane, and its rows.
struct Plane {
  std::int64_t row_bytes;
  std::int64_t rows;

  std::size_t bytes() const noexcept { return static_cast<std::size_t>(row_bytes * rows); }
};

std::vector<Plane> planes_of(const DecodedPicture& picture) {
  const std::int64_t width = picture.width;
  const std::int64_t chroma_width = kernels::chroma_size(picture.width);
  const std::int64_t chroma_height = kernels::chroma_size(picture.height);
  switch (picture.format) {
    case PixelFormat::kRgb24:
      return {{3 * width, picture.height}};
    case PixelFormat::kNv12:
      return {{width, picture.height}, {2 * chroma_width, chroma_height}};
    case PixelFormat::kYuv420p:
      break;
  }
  return {{width, picture.height}, {chroma_width, chroma_height}, {chroma_width, chroma_height}};
}

std::size_t bytes_of(const DecodedPicture& picture) {
  std::size_t bytes = 0;
  for (const Plane& plane : planes_of(picture)) {
    bytes += plane.bytes();
  }
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

std::shared_ptr<DecodedFilm> DecodedFilm::with_room(const DecodedPicture& frame, std::size_t frames,
                                                    std::int64_t views, Slots& slots) {
  if (!slots.may_leave()) {
    return nullptr;
  }
  const std::size_t bytes = bytes_of(frame);
  LeftBytes memory(slots.room(frames * bytes, views), frames * bytes);
  if (!memory) {
    return nullptr;
  }
  const std::byte* const begin = memory.room();
  std::shared_ptr<DecodedFilm> made = of_lent(views);
  made->pieces_.push_back({std::move(memory), begin, {}});
  made->frame_bytes_ = bytes;
  made->most_frames_ = frames;
  return made;
}

std::shared_ptr<DecodedFilm> DecodedFilm::of_lent(std::int64_t views) {
  return std::shared_ptr<DecodedFilm>(new DecodedFilm(views));
}

void DecodedFilm::lend(std::shared_ptr<const kernels::Lent> lent) {
  const std::byte* const begin = lent->data();
  pieces_.push_back({LeftBytes(std::move(lent)), begin, {}});
}

bool DecodedFilm::add(const CropRequest& request) {
  Piece& piece = pieces_.back();
  const bool packs = piece.bytes.room() != nullptr;
  if (packs && (bytes_of(request.frame) > frame_bytes_ || piece.frames.size() == most_frames_)) {
    return false;
  }
  Frame& kept = piece.frames.emplace_back();
  kept.request = request;
  kept.targets.assign(request.targets, request.targets + request.target_count);
  if (packs) {
    pack(piece, kept.request.frame);
  }
  return true;
}

// Copies the planes of the last frame to the room, without gaps.
void DecodedFilm::pack(const Piece& piece, DecodedPicture& picture) const {
  std::byte* to = piece.bytes.room() + (piece.frames.size() - 1) * frame_bytes_;
  const std::vector<Plane> planes = planes_of(picture);
  for (std::size_t i = 0; i < planes.size(); ++i) {
    const std::uint8_t* from = picture.planes[i];
    const std::int64_t stride = picture.strides[i];
    picture.planes[i] = reinterpret_cast<const std::uint8_t*>(to);
    picture.strides[i] = planes[i].row_bytes;
    for (std::int64_t row = 0; row < planes[i].rows; ++row, from += stride, to += planes[i].row_bytes) {
      std::memcpy(to, from, static_cast<std::size_t>(planes[i].row_bytes));
    }
  }
}

// With the planes where `planes` has them.
std::vector<CropRequest> DecodedFilm::Piece::requests(const std::byte* planes, OutType type,
                                                      void* out) const {
  std::vector<CropRequest> made;
  for (const Frame& frame : frames) {
    CropRequest request = frame.request;
    request.targets = frame.targets.data();
    request.out = out;
    request.type = type;
    for (std::size_t i = 0; i < planes_of(request.frame).size(); ++i) {
      const auto* const held = reinterpret_cast<const std::byte*>(request.frame.planes[i]);
      request.frame.planes[i] = reinterpret_cast<const std::uint8_t*>(planes + (held - begin));
    }
    made.push_back(request);
  }
  return made;
}

bool DecodedFilm::make(void* out) const noexcept {
  return std::ranges::all_of(pieces_, [out](const Piece& piece) {
    return piece.bytes.here([&](const std::byte* planes) {
      const std::vector<CropRequest> all = piece.requests(planes, OutType::kFloat32, out);
      return std::ranges::all_of(all, [](const CropRequest& each) { return kernels::video_crops(each, 1); });
    });
  });
}

void DecodedFilm::queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, OutType type,
                        void* out) const {
  std::vector<CropRequest> all;
  std::int64_t before = 0;
  for (const Decoded* const item : items) {
    const auto& film = *static_cast<const DecodedFilm*>(item);
    void* const to = kernels::number_at(out, type, before);
    for (const Piece& piece : film.pieces_) {
      std::ranges::copy(piece.requests(piece.bytes.on(queue), type, to), std::back_inserter(all));
    }
    before += film.views_ * kViewNumbers;
  }
  kernels::video_crops_gpu(queue, all.data(), std::ssize(all));
}

}  // namespace bindrt::prepare
