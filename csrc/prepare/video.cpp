// Ordinary videos; runtime/bindrt/modalities/video.py says what an item means.
#include "kernels/video/video.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "csrc/prepare/arrays.h"
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

std::vector<std::int64_t> frames_of(const VideoViews& views) {
  std::vector<std::int64_t> frames;
  for (const auto& [frame, targets] : views.targets) {
    frames.push_back(frame);
  }
  return frames;
}

kernels::CropRequest crops_of(std::int64_t number, const video::Frame& frame, const VideoViews& views,
                              float* out) {
  const std::vector<kernels::CropTarget>& targets = views.targets.at(number);
  return {frame.picture,
          frame.quarter_turns,
          targets.data(),
          static_cast<std::int32_t>(targets.size()),
          out,
          kernels::OutType::kFloat32,
          kVideoFrames * kSquare};
}

// Has a device decode the video and make its views, if it does that for such videos. False: it did not.
bool decoded_there(video::Film& film, kernels::DeviceFilm& device, const VideoViews& views, Slots& slots) {
  const std::vector<std::int64_t> offsets = crop_offsets(film.width(), film.height());
  const auto take = [&](std::int64_t number, const video::Frame& frame) {
    return crop_offsets(frame.picture.width, frame.picture.height) == offsets &&
           device.add(crops_of(number, frame, views, nullptr));
  };
  if (!film.read_on(device, frames_of(views), take, [&slots] { return slots.wanted(); })) {
    return false;
  }
  slots.reserve(views.count);
  slots.leave(device.views());
  slots.count_film();
  return true;
}

// Writes the crops of each frame to their views, or leaves them to a device. False for a frame of another
// size than the header says.
bool write(video::Film& film, const VideoViews& views, Slots& slots) {
  float* out = nullptr;
  std::shared_ptr<DecodedFilm> left;
  bool begun = false;
  const std::vector<std::int64_t> offsets = crop_offsets(film.width(), film.height());
  const std::vector<std::int64_t> frames = frames_of(views);
  const auto take = [&](std::int64_t number, const video::Frame& frame) {
    if (crop_offsets(frame.picture.width, frame.picture.height) != offsets) {
      return false;
    }
    if (!std::exchange(begun, true)) {
      left = DecodedFilm::with_room(frame.picture, frames.size(), views.count, slots);
      out = left == nullptr ? slots.reserve(views.count) : nullptr;
    }
    const kernels::CropRequest request = crops_of(number, frame, views, out);
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

// What the caller chose of a video.
struct Wanted {
  explicit Wanted(Options& options)
      : span{options.number("start").value_or(0.0), options.number("end")},
        views(options.whole("views").value_or(kAllViews)),
        choice(video_choice(views)) {}

  bool is_right() const noexcept { return span.is_right() && choice.has_value(); }
  // The frames of each chosen clip of a part of a video.
  std::vector<FramePair> pairs(const video::Run& inside, double rate) const {
    const auto all = frame_pairs(inside.size(), rate);
    std::vector<FramePair> found;
    for (const std::int32_t clip : choice->clips) {
      const FramePair& pair = all[static_cast<std::size_t>(clip)];
      found.push_back({inside.begin + pair[0], inside.begin + pair[1]});
    }
    return found;
  }

  Span span;
  std::int64_t views;
  std::optional<VideoChoice> choice;
};

Prepared prepared(const Wanted& wanted, const video::Run& inside, const VideoViews& found) {
  Prepared made{{}, found.index};
  const std::int64_t unseen = inside.size() - static_cast<std::int64_t>(found.targets.size());
  if (unseen != 0) {
    made.notes.emplace_back("frames_unseen", unseen);
  }
  if (wanted.views != kAllViews) {
    made.notes.emplace_back("views", wanted.views);
  }
  return made;
}

// The frames that are shown in a part of so many, of which there are `rate` a second.
video::Run shown(const Span& span, double rate, std::int64_t frames) {
  constexpr double kRounding = 1e-6;  // of a frame: 0.28 s of 25 frames a second are a little more than seven
  const auto at = [rate, frames](double seconds) {
    return static_cast<std::int64_t>(
        std::min(std::ceil(seconds * rate - kRounding), static_cast<double>(frames)));
  };
  return {at(span.start), span.end ? at(*span.end) : frames};
}

// Frames [N, H, W, 3] that are on the device.
std::optional<Prepared> prepare_lent(const Array& array, const Item& item, const Limits& limits,
                                     Slots& slots) {
  Options options(item);
  const Wanted wanted(options);
  const std::optional<double> rate = options.positive("fps");
  options.flag("strict");  // of a file
  const std::vector<std::int64_t>& shape = array.shape;
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (!options.usual() || !wanted.is_right() || !rate || !slots.may_leave() ||
      !is(array, Array::Kind::kUint, 8) || shape.size() != 4 || shape[3] != 3 ||
      std::max(shape[1], shape[2]) > kMost || shape[1] * shape[2] > limits.max_pixels ||
      static_cast<double>(shape[0]) > limits.max_seconds * *rate) {
    return std::nullopt;
  }
  const video::Run inside = shown(wanted.span, *rate, shape[0]);
  if (inside.size() < 1) {
    return std::nullopt;
  }
  const auto height = static_cast<std::int32_t>(shape[1]);
  const auto width = static_cast<std::int32_t>(shape[2]);
  const VideoViews found =
      video_views(wanted.pairs(inside, *rate), crop_offsets(width, height), wanted.choice->crops);
  const auto left = DecodedFilm::of_lent(array.lent, found.count);
  const std::int64_t row = shape[2] * shape[3];
  for (const auto& [frame, targets] : found.targets) {
    const auto* const pixels = static_cast<const std::uint8_t*>(array.data) + frame * shape[1] * row;
    left->add(crops_of(frame, {{kernels::PixelFormat::kRgb24, width, height, {pixels}, {row}, {}}, 0}, found,
                       nullptr));
  }
  slots.reserve(found.count);
  slots.leave(left);
  return prepared(wanted, inside, found);
}

// For the message about a video that a device refuses.
std::string describe(const video::Film& film) {
  return std::string(film.codec()) + " of " + std::to_string(film.width()) + "×" +
         std::to_string(film.height());
}

// On a device that decodes such videos, or here. False: left to Python.
bool make_views(video::Film& film, const VideoViews& views, Slots& slots) {
  auto device = slots.film(std::int64_t{film.width()} * film.height(), views.count);
  if (device == nullptr) {
    return write(film, views, slots);
  }
  if (decoded_there(film, *device, views, slots)) {
    return true;
  }
  device = nullptr;  // its place is for other videos
  // A video that neither takes is not ordinary.
  return write(film, views, slots) && slots.may_refuse(describe(film));
}

}  // namespace

std::optional<Prepared> prepare_video(const Item& item, const Limits& limits, Slots& slots) {
  if (const auto* const array = std::get_if<Array>(&item.source)) {
    return array->lent == nullptr ? std::nullopt : prepare_lent(*array, item, limits, slots);
  }
  Options options(item);
  const Wanted wanted(options);
  const Span& span = wanted.span;
  const video::Ffmpeg* const library = video::ffmpeg();
  const auto input = library == nullptr ? std::nullopt : input_of(item, limits);
  if (!options.usual() || !wanted.is_right() || !input) {
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
  const VideoViews found = video_views(wanted.pairs(inside, film->rate()),
                                       crop_offsets(film->width(), film->height()), wanted.choice->crops);
  return make_views(*film, found, slots) ? std::optional(prepared(wanted, inside, found)) : std::nullopt;
}

}  // namespace bindrt::prepare
