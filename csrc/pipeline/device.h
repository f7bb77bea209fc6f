// Where batches run beside the engine's thread, several on their way at once: a GPU with streams of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "kernels/base/decoded.h"

namespace bindrt::pipeline {

struct Batch;

// Nothing will run on the device any more in this process.
struct DeviceLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Bytes of an item that is decoded for the device to make its rows, if they are no more than its rows.
inline constexpr std::int64_t kLittleRoom = std::int64_t{4} << 20;

// start() is called by one thread, wait() by another one.
class Device {
 public:
  virtual ~Device() = default;

  // How many batches may have been started and not be over: their vectors handed over.
  virtual std::size_t depth() const noexcept = 0;

  // Memory for slots that the device reads without a detour; null where there is none left.
  virtual std::byte* allocate(std::size_t bytes) noexcept = 0;
  virtual void free(std::byte* memory) noexcept = 0;

  // Memory for the bytes of a decoded item whose rows the device is to make, given back with its last owner;
  // null where there is none: the rows are then made here. Any thread may call.
  virtual std::shared_ptr<std::byte> room(std::size_t /*bytes*/) noexcept { return nullptr; }

  // Whether it may decode such a picture of so many pixels itself. Any thread may call.
  virtual bool may_decode(kernels::PictureCoding /*coding*/, std::int64_t /*pixels*/) const noexcept {
    return false;
  }
  // A picture of one row, decoded there, of which only that row is kept; null where the device refuses the
  // file or has no memory: it is then decoded here. Waits. Any thread may call.
  virtual std::shared_ptr<const kernels::Decoded> decode(const kernels::EncodedPicture& /*picture*/) {
    return nullptr;
  }

  // A place for a video that is to be decoded there; null where it is to be decoded here. May wait for
  // others. Any thread may call. The device outlives it.
  virtual std::unique_ptr<kernels::DeviceFilm> film(const kernels::FilmSize& /*size*/) { return nullptr; }

  struct Started {
    std::size_t copied = 0;  // bytes, in from the host
    std::int64_t calls = 1;  // of the engine
  };
  // Queues copying the batch's rows in, or what they are made of, the engine, pooling and copying the vectors
  // out, also to where requests want them on the device, and returns. The engine gets at most `limit` rows at
  // once: a batch with more runs in pieces. The device may compute more rows than the batch has. The batch
  // stays as it is until wait() returns for it. What it throws leaves nothing queued that reads the rows:
  // DeviceLost; std::bad_alloc, which fewer rows at once may not need; or another std::exception.
  virtual Started start(const Batch& batch, std::int64_t limit) = 0;

  // Waits for the batch that was started first of those not waited for. Returns the vectors of its entries,
  // [entries, dim], which stay until depth() more were started. Throws as start() does.
  virtual const float* wait() = 0;

  // Throws DeviceLost if it is; asked when the engine, run alone, has failed. Nothing is queued then.
  virtual void require() = 0;

  // Writes a vector of `dim` numbers to an address of the device, or NaN where there is none. Any thread may
  // call. Throws as start() does.
  virtual void store(std::uint64_t target, const float* vector, std::int64_t dim) = 0;
};

}  // namespace bindrt::pipeline
