// Videos that a library decodes on the device, and the rows of batches that are made of their frames there.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "csrc/gpu/memory_pool.h"
#include "csrc/gpu/queue.h"
#include "kernels/base/decoded.h"

namespace bindrt::gpu {

struct FilmOptions {
  std::int64_t from = -1;  // pixels that a frame has at least; negative: none is decoded
  bool waits = false;      // while as many as there may be are decoded; else the next is decoded elsewhere
};

// Each video that is decoded has a stream, in which the library's work and ours follow each other. Of a video
// only its rows are kept, float32 [rows, row of a batch].
class FilmDecoder {
 public:
  // At once: more share the device's decoders and take memory, each for the frames that it keeps.
  static constexpr std::size_t kMostFilms = 8;
  // Device memory for rows whose batches are not over, at most.
  static constexpr std::size_t kMostRows = std::size_t{256} << 20;
  // Device memory for the frames that the decoders of all videos keep, at most: one of 8K has room.
  static constexpr std::size_t kMostFrames = 1'200'000'000;
  // For what says where the crops of a frame are: a quarter of a kilobyte each.
  static constexpr QueueLimits kQueue{.scratch = Arena::kFirstBlock, .tables = 0, .staged = Staging::kChunk};
  // What decoding takes of the device, besides what the driver keeps.
  static constexpr std::size_t kMostBytes = kMostRows + kMostFrames + kMostFilms * kQueue.on_device();

  // The context must outlive it and the rows; it must outlive its videos.
  FilmDecoder(Context& context, std::size_t row_bytes, const FilmOptions& options,
              std::size_t most_rows = kMostRows);

  // A place for a video; null where it is to be decoded elsewhere: it is too small, no place is free, or
  // there is no memory for its rows or its frames. Any thread may call.
  std::unique_ptr<kernels::DeviceFilm> film(const kernels::FilmSize& size);

 private:
  class Film;
  class Place;

  bool take(std::size_t frame_bytes);
  void give_back(std::size_t frame_bytes, std::unique_ptr<StreamQueue> queue) noexcept;
  std::unique_ptr<StreamQueue> idle_queue();

  Context& context_;
  const std::size_t row_bytes_;
  const FilmOptions options_;
  const std::shared_ptr<DevicePool> rows_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::size_t films_ = 0;        // that have a place
  std::size_t frame_bytes_ = 0;  // of these
  std::uint64_t arrived_ = 0;    // of those that wait for a place, each has the next number
  std::uint64_t turn_ = 0;       // whose it is
  std::vector<std::unique_ptr<StreamQueue>> idle_;
};

}  // namespace bindrt::gpu
