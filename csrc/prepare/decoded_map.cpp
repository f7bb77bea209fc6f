// Copies the part of a map that its square depends on, and makes the squares of several maps at once.
#include "csrc/prepare/decoded_map.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "csrc/prepare/left_bytes.h"
#include "kernels/map/depth_gpu.h"
#include "kernels/map/map_square.h"
#include "kernels/map/thermal_gpu.h"

namespace bindrt::prepare {
namespace {

using kernels::Decoded;
using kernels::Map;

std::int64_t number_bytes(kernels::MapType type) noexcept {
  constexpr std::int64_t kBytes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
  return kBytes[static_cast<int>(type)];
}

// Some rows and columns of a map, or all.
struct MapPart {
  Map map{};                // the whole; only its numbers of the part may be read
  std::int64_t before = 0;  // bytes from where the map's first number would lie to the part
  LeftBytes bytes;

  Map at(const std::byte* part) const noexcept {
    Map placed = map;
    placed.pixels = part - before;
    return placed;
  }
};

// The part of a map that its square depends on; without memory where there is no room.
MapPart square_part(const Map& map, kernels::ResizeFilter filter, Slots& slots) {
  const kernels::SquareTaps taps = kernels::square_taps(map, filter);
  if (!taps) {
    return {};
  }
  const std::int64_t number = number_bytes(map.type);
  MapPart part;
  part.map = map;
  part.map.row_stride = taps.columns() * number;
  part.before = taps.down->first_input * part.map.row_stride + taps.across->first_input * number;
  const auto bytes = static_cast<std::size_t>(taps.rows() * part.map.row_stride);
  part.bytes = {slots.room(bytes, 1), bytes};
  std::byte* to = part.bytes.room();
  for (std::int32_t y = taps.down->first_input; to != nullptr && y < taps.down->last_input; ++y) {
    const auto* const row = static_cast<const std::byte*>(map.pixels) + y * map.row_stride;
    std::memcpy(to, row + taps.across->first_input * number, static_cast<std::size_t>(part.map.row_stride));
    to += part.map.row_stride;
  }
  return part;
}

// A map whose square the functions of `Op` make.
template <class Op>
class DecodedMap final : public Decoded {
 public:
  DecodedMap(MapPart part, const typename Op::Options& options) : part_(std::move(part)), options_(options) {}

  bool make(void* out) const noexcept override {
    return part_.bytes.here([&](const std::byte* part) { return Op::make(part_.at(part), options_, out); });
  }

  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, kernels::OutType type,
             void* out) const override {
    std::vector<Map> maps;
    std::vector<typename Op::Options> options;
    for (const Decoded* const item : items) {
      const auto& [part, of] = static_cast<const DecodedMap*>(item)->both();
      maps.push_back(part.at(part.bytes.on(queue)));
      options.push_back(of);
      options.back().out_type = type;
    }
    Op::queue(queue, maps, options, out);
  }

 private:
  std::pair<const MapPart&, const typename Op::Options&> both() const noexcept { return {part_, options_}; }

  const MapPart part_;
  const typename Op::Options options_;
};

struct Depth {
  using Options = kernels::DepthOptions;
  static constexpr auto kFilter = kernels::ResizeFilter::kBilinear;

  static bool make(const Map& map, const Options& options, void* out) noexcept {
    return kernels::depth_square(map, options, out, nullptr);
  }
  static void queue(kernels::GpuQueue& queue, const std::vector<Map>& maps,
                    const std::vector<Options>& options, void* out) {
    kernels::depth_squares_gpu(queue, maps.data(), options.data(), std::ssize(maps), nullptr, out);
  }
};

struct Thermal {
  using Options = kernels::ThermalOptions;
  static constexpr auto kFilter = kernels::ResizeFilter::kBicubic;

  static bool make(const Map& frame, const Options& options, void* out) noexcept {
    return kernels::thermal_stretched(frame, options, out);
  }
  static void queue(kernels::GpuQueue& queue, const std::vector<Map>& frames,
                    const std::vector<Options>& options, void* out) {
    kernels::thermal_squares_gpu(queue, frames.data(), options.data(), std::ssize(frames), out);
  }
};

template <class Op>
bool leave(const Map& map, const LentPtr& lent, const typename Op::Options& options, Slots& slots) {
  if (!slots.may_leave()) {
    return false;
  }
  MapPart part = lent == nullptr ? square_part(map, Op::kFilter, slots) : MapPart{map, 0, LeftBytes(lent)};
  if (!part.bytes) {
    return false;
  }
  auto decoded = std::make_shared<DecodedMap<Op>>(std::move(part), options);
  slots.reserve(1);
  slots.leave(std::move(decoded));
  return true;
}

}  // namespace

bool leave_depth(const Map& map, const LentPtr& lent, const kernels::DepthOptions& options, Slots& slots) {
  return leave<Depth>(map, lent, options, slots);
}

bool leave_thermal(const Map& frame, const LentPtr& lent, const kernels::ThermalOptions& options,
                   Slots& slots) {
  return leave<Thermal>(frame, lent, options, slots);
}

}  // namespace bindrt::prepare
