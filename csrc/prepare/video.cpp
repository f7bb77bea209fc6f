// Ordinary videos; runtime/bindrt/modalities/video.py says what an item means.
#include "kernels/video/video.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "csrc/prepare/decoded_film.h"
#include "csrc/prepare/options.h"
#include "csrc/prepare/registry.h"
#include "csrc/prepare/segment.h"
#include "csrc/prepare/source.h"
#include "csrc/prepare/video_views.h"
#include "csrc/video/film.h"
#include "csrc/video/library.h"

namespace bindrt::prepare {
namespace {

constexpr std::int64_t kSquare = std::int64_t{kernels::kPictureSide} * kernels::kPictureSide;
constexpr std::int64_t kAllViews = kVideoClips * kernels::kVideoCrops;

// Where the crops of a frame begin; the same whichever way it is turned.
std::vector<std::int64_t> crop_offsets(std::int32_t width, std::int32_t height) {
  const kernels::CropGeometry geometry = kernels::crop_geometry(width, height);
  return {std::begin(geometry.offsets), std::end(geometry.offsets)};
}

// Writes the crops of each frame to their views, or leaves them to a device. False for a frame of another
// size than the header says.
bool write(video::Film& film, const VideoViews& views, Slots& slots) {
  float* out = nullptr;
  std::shared_ptr<DecodedFilm> left;
  bool begun = false;
  const std::vector<std::int64_t> offsets = crop_offsets(film.width(), film.height());
  std::vector<std::int64_t> frames;
  for (const auto& [frame, targets] : views.targets) {
    frames.push_back(frame);
  }
  const auto take = [&](std::int64_t number, const video::Frame& frame) {
    if (crop_offsets(frame.picture.width, frame.picture.height) != offsets) {
      return false;
    }
    if (!std::exchange(begun, true)) {
      left = DecodedFilm::with_room(frame.picture, frames.size(), views.count, slots);
      out = left == nullptr ? slots.reserve(views.count) : nullptr;
    }
    const std::vector<kernels::CropTarget>& targets = views.targets.at(number);
    const kernels::CropRequest request{frame.picture,
                                       frame.quarter_turns,
                                       targets.data(),
                                       static_cast<std::int32_t>(targets.size()),
                                       out,
                                       kernels::OutType::kFloat32,
                                       kVideoFrames * kSquare};
    return left != nullptr ? left->add(request) : kernels::video_crops(request, 1);
  };
  if (!film.read(frames, take, [&slots] { return slots.wanted(); })) {
    return false;
  }
  if (left != nullptr) {
    slots.reserve(views.count);
    slots.leave(std::move(left));
  }
  return true;
}

}  // namespace

std::optional<Prepared> prepare_video(const Item& item, const Limits& limits, Slots& slots) {
  Options options(item);
  const Span span{options.number("start").value_or(0.0), options.number("end")};
  const std::int64_t views = options.whole("views").value_or(kAllViews);
  const auto choice = video_choice(views);
  const video::Ffmpeg* const library = video::ffmpeg();
  const auto input = library == nullptr ? std::nullopt : input_of(item, limits);
  if (!options.usual() || !span.is_right() || !choice || !input) {
    return std::nullopt;
  }
  const video::FilmLimits bounds{limits.max_pixels, limits.max_seconds, limits.max_packets,
                                 limits.max_pixels_per_byte, limits.max_picture_bytes};
  const auto film = video::Film::open(*library, *input, bounds, [&slots] { return slots.wanted(); });
  if (film == nullptr) {
    return std::nullopt;
  }
  const video::Run inside =
      span.is_whole() ? video::Run{0, film->frames()} : film->between(span.start, span.end);
  if (inside.size() < 1) {
    return std::nullopt;
  }
  const auto all = frame_pairs(inside.size(), film->rate());
  std::vector<FramePair> pairs;
  for (const std::int32_t clip : choice->clips) {
    const FramePair& pair = all[static_cast<std::size_t>(clip)];
    pairs.push_back({inside.begin + pair[0], inside.begin + pair[1]});
  }
  const VideoViews found = video_views(pairs, crop_offsets(film->width(), film->height()), choice->crops);
  if (!write(*film, found, slots)) {
    return std::nullopt;
  }
  Prepared prepared{{}, found.index};
  const std::int64_t unseen = inside.size() - static_cast<std::int64_t>(found.targets.size());
  if (unseen != 0) {
    prepared.notes.emplace_back("frames_unseen", unseen);
  }
  if (views != kAllViews) {
    prepared.notes.emplace_back("views", views);
  }
  return prepared;
}

}  // namespace bindrt::prepare
