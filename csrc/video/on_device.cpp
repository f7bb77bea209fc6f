// Gives decoders a device, in fields of theirs that no option sets.
#include "csrc/video/on_device.h"

#include <algorithm>
#include <cstddef>

#include "csrc/video/library.h"

namespace bindrt::video {
namespace {

constexpr std::string_view kExact[] = {"h264", "hevc", "vp9", "av1"};

// FFmpeg asks again without the device's format where the device refuses a video: then there is none.
int only_on_device(AvContext* /*context*/, const int* offered) {
  const int on_device = ffmpeg()->format_named("cuda");
  while (*offered != kNoFormat && *offered != on_device) {
    ++offered;
  }
  return *offered;
}

// The field of a pointer before the one that an option sets; null if there is no such option.
void** field_before(const Ffmpeg& library, AvContext* context, const char* option) noexcept {
  const AvOption* const found = library.find_option(context, option, nullptr, 0, 0);
  constexpr int kPointer = sizeof(void*);
  if (found == nullptr || found->offset < kPointer || found->offset % kPointer != 0) {
    return nullptr;
  }
  return reinterpret_cast<void**>(reinterpret_cast<std::byte*>(context) + found->offset - kPointer);
}

AvBuffer* started(const Ffmpeg& library, const kernels::DeviceFilm& film) noexcept {
  AvBuffer* made = library.new_device(kCudaDevice);  // null: FFmpeg was built without it
  if (made == nullptr) {
    return nullptr;
  }
  const auto& device = *static_cast<AvDevice*>(made->data);
  auto* const cuda = static_cast<AvCuda*>(device.of_type);
  if (device.type == kCudaDevice && cuda != nullptr) {
    cuda->context = film.context();
    cuda->stream = film.stream();
    if (library.start_device(made) >= 0) {
      return made;
    }
  }
  library.release(&made);
  return nullptr;
}

}  // namespace

bool is_exact_codec(std::string_view name) noexcept {
  return std::ranges::find(kExact, name) != std::end(kExact);
}

// Both fields stand where they should: one holds what a new context has, the other nothing.
bool use_device(const Ffmpeg& library, AvContext* context, const kernels::DeviceFilm& film) noexcept {
  void** const chooses = field_before(library, context, "bf");
  void** const device = field_before(library, context, "hwaccel_flags");
  if (chooses == nullptr || *chooses != reinterpret_cast<void*>(library.choose_format) || device == nullptr ||
      *device != nullptr) {
    return false;
  }
  *device = started(library, film);  // the context's from now on
  *chooses = reinterpret_cast<void*>(&only_on_device);
  return *device != nullptr;
}

bool is_nv12_on_device(const Ffmpeg& library, const AvFrame& frame) noexcept {
  if (frame.device_frames == nullptr || frame.format != library.format_named("cuda")) {
    return false;
  }
  const auto& frames = *static_cast<const AvDeviceFrames*>(frame.device_frames->data);
  return frames.planes_format == library.format_named("nv12") && frame.crop[0] == 0 && frame.crop[2] == 0;
}

}  // namespace bindrt::video
