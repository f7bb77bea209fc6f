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

// Has a device decode the video and make its views. Null, or why it did not.
const char* decode_there(video::Film& film, kernels::DeviceFilm& device, const VideoViews& views,
                         Slots& slots) {
  const std::vector<std::int64_t> offsets = crop_offsets(film.width(), film.height());
  const auto take = [&](std::int64_t number, const video::Frame& frame) {
    return crop_offsets(frame.picture.width, frame.picture.height) == offsets &&
           device.add(crops_of(number, frame, views, nullptr));
  };
  const char* const why = film.read_on(device, frames_of(views), take, [&slots] { return slots.wanted(); });
  if (why == nullptr) {
    slots.reserve(views.count);
    slots.leave(device.views());
    slots.count_film();
  }
  return why;
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

// Frames that are on the device: of one array [N, H, W, 3], or arrays [H, W, 3] one by one.
struct LentFrames {
  std::int64_t count = 0, height = 0, width = 0;
  const Array* all = nullptr;                 // or:
  const std::vector<Array>* apart = nullptr;  // without numbers those that nobody looks at

  // Nothing for any other source, and for other numbers than bytes of three colours.
  static std::optional<LentFrames> of(const Item& item) {
    LentFrames found;
    std::vector<std::int64_t> shape;
    if (const auto* const array = std::get_if<Array>(&item.source)) {
      if (array->lent == nullptr || array->shape.size() != 4 || !is(*array, Array::Kind::kUint, 8)) {
        return std::nullopt;
      }
      found.all = array;
      found.count = array->shape[0];
      shape.assign(array->shape.begin() + 1, array->shape.end());
    } else if (const auto* const arrays = std::get_if<std::vector<Array>>(&item.source)) {
      const auto first =
          std::ranges::find_if(*arrays, [](const Array& each) { return each.lent != nullptr; });
      if (first == arrays->end() || first->shape.size() != 3) {
        return std::nullopt;
      }
      found.apart = arrays;
      found.count = std::ssize(*arrays);
      shape = first->shape;
    } else {
      return std::nullopt;
    }
    found.height = shape[0];
    found.width = shape[1];
    return shape[2] == 3 ? std::optional(found) : std::nullopt;
  }

  // Adds a frame; false for one that is not there, or is not as the others.
  bool add(DecodedFilm& to, std::int64_t number, const VideoViews& views) const {
    const std::int64_t row = width * 3;
    const Array& of = all != nullptr ? *all : apart->at(static_cast<std::size_t>(number));
    if (all == nullptr) {
      if (of.lent == nullptr || !is(of, Array::Kind::kUint, 8) ||
          of.shape != std::vector<std::int64_t>{height, width, 3}) {
        return false;
      }
      to.lend(of.lent);
    }
    const auto* const pixels =
        static_cast<const std::uint8_t*>(of.data) + (all != nullptr ? number * height * row : 0);
    const kernels::DecodedPicture picture{kernels::PixelFormat::kRgb24,
                                          static_cast<std::int32_t>(width),
                                          static_cast<std::int32_t>(height),
                                          {pixels},
                                          {row},
                                          {}};
    return to.add(crops_of(number, {picture, 0}, views, nullptr));
  }
};

std::optional<Prepared> prepare_lent(const LentFrames& frames, const Item& item, const Limits& limits,
                                     Slots& slots) {
  Options options(item);
  const Wanted wanted(options);
  const std::optional<double> rate = options.positive("fps");
  options.flag("strict");  // of a file
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (!options.usual() || !wanted.is_right() || !rate || !slots.may_leave() ||
      std::max(frames.height, frames.width) > kMost || frames.height * frames.width > limits.max_pixels ||
      static_cast<double>(frames.count) > limits.max_seconds * *rate) {
    return std::nullopt;
  }
  const video::Run inside = shown(wanted.span, *rate, frames.count);
  if (inside.size() < 1) {
    return std::nullopt;
  }
  const auto offsets =
      crop_offsets(static_cast<std::int32_t>(frames.width), static_cast<std::int32_t>(frames.height));
  const VideoViews found = video_views(wanted.pairs(inside, *rate), offsets, wanted.choice->crops);
  const auto left = DecodedFilm::of_lent(found.count);
  if (frames.all != nullptr) {
    left->lend(frames.all->lent);
  }
  for (const std::int64_t number : frames_of(found)) {
    if (!frames.add(*left, number, found)) {
      return std::nullopt;
    }
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
  auto device = slots.film({std::int64_t{film.width()} * film.height(), views.count, film.bytes_on_device()});
  if (device == nullptr) {
    return write(film, views, slots);
  }
  const char* const why = decode_there(film, *device, views, slots);
  if (why == nullptr) {
    return true;
  }
  device = nullptr;  // its place is for other videos
  // A video that neither takes is not ordinary.
  return write(film, views, slots) && slots.may_refuse(describe(film), why);
}

}  // namespace

std::optional<Prepared> prepare_video(const Item& item, const Limits& limits, Slots& slots) {
  if (const auto frames = LentFrames::of(item)) {
    return prepare_lent(*frames, item, limits, slots);
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
