// An item that is decoded and of which views are still to be made, here or on a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kernels/base/gpu.h"

namespace bindrt::kernels {

class Decoded {
 public:
  Decoded() = default;
  Decoded(const Decoded&) = delete;
  Decoded& operator=(const Decoded&) = delete;
  virtual ~Decoded() = default;

  // Writes the item's views to host memory, in float32. False if there is no memory; `out` is undefined then.
  virtual bool make(void* out) const noexcept = 0;

  // Queues copying the items to a device and making their views there, numbers of `type`, one item after the
  // other from `out` on. All are of this object's class, and stay as they are until the work is done. Throws
  // as the queue does, and std::bad_alloc.
  virtual void queue(GpuQueue& queue, std::span<const Decoded* const> items, OutType type,
                     void* out) const = 0;
};

// How a picture is coded, of those that a device may decode.
enum class PictureCoding : std::uint8_t { kJpeg, kJpeg2000, kTiffLzw, kTiffDeflate };
inline constexpr std::size_t kPictureCodings = 4;

// The file of a picture that a device may decode.
struct EncodedPicture {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  std::int32_t width = 0;
  std::int32_t height = 0;
  PictureCoding coding = PictureCoding::kJpeg;

  std::int64_t pixels() const noexcept { return std::int64_t{width} * height; }
};

struct CropRequest;  // kernels/video/video.h

// What a device must know of a video before it takes it.
struct FilmSize {
  std::int64_t pixels = 0;       // of a frame
  std::int64_t rows = 0;         // of a batch: its views
  std::int64_t frame_bytes = 0;  // of the device's memory that its decoder takes for frames, at most
};

// A video that is decoded on a device, by one thread. Its destructor waits.
class DeviceFilm {
 public:
  DeviceFilm() = default;
  DeviceFilm(const DeviceFilm&) = delete;
  DeviceFilm& operator=(const DeviceFilm&) = delete;
  virtual ~DeviceFilm() = default;

  // The driver's handles of the context and the stream that a library decodes in.
  virtual void* context() const noexcept = 0;
  virtual void* stream() const noexcept = 0;

  // Queues making the crops of a frame whose planes are in the device's memory, written by what the stream
  // has got. They go where the request says, from the item's first number on; its `out` is not used. False:
  // the device failed.
  virtual bool add(const CropRequest& request) noexcept = 0;
  // Until no frame that was added is read any more. False: the device failed.
  virtual bool wait() noexcept = 0;
  // After wait(): the item's views. Once.
  virtual std::shared_ptr<const Decoded> views() = 0;
};

}  // namespace bindrt::kernels
