// What the pipeline calls: preprocessing, the engine, and the receiver of results. None of it is called
// while the pipeline holds its mutex. What they throw fails the requests at hand.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "csrc/pipeline/batch.h"

namespace bindrt::pipeline {

struct EngineCall {
  int lane;
  std::int64_t length;  // of the length class
  const void* input;    // [rows, row of the class]
  std::int64_t rows;    // at most the lane's max_batch
  float* output;        // [rows, dim]
};

struct EngineResult {
  enum class Status { kOk, kFailed, kOutOfMemory };
  Status status = Status::kOk;
  FailurePtr failure;
};

// Called from the pipeline's engine thread.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual EngineResult run(const EngineCall& call) = 0;
};

// The rows of one item in a batch, where a preparer writes; used by one thread, during prepare() only.
class ItemRows {
 public:
  // Rows of the batch to write to, each row_bytes() of the smallest class that holds `length`. A second call
  // gives up the rows of the first.
  virtual void* reserve(std::int64_t rows, std::int64_t length = 0) = 0;
  // Instead: the input is this memory, laid out as the engine takes it, which stays until delivery.
  virtual void borrow(const void* data, std::int64_t rows, std::int64_t length = 0) = 0;
  // Memory for what an item of so many rows decodes to, whose rows a device is to make; null where there is
  // none: they are made here. Given back with its last owner.
  virtual std::shared_ptr<std::byte> room(std::size_t /*bytes*/, std::int64_t /*rows*/) { return nullptr; }
  // Whether a device may decode such a picture of so many pixels, and the picture as it has decoded it; null
  // where it has not.
  virtual bool may_decode(kernels::PictureCoding /*coding*/, std::int64_t /*pixels*/) const { return false; }
  virtual std::shared_ptr<const kernels::Decoded> decode(const kernels::EncodedPicture& /*picture*/) {
    return nullptr;
  }
  // A place on a device for a video; null: it is decoded here.
  virtual std::unique_ptr<kernels::DeviceFilm> film(const kernels::FilmSize& /*size*/) { return nullptr; }
  // Counts a video that was decoded there.
  virtual void count_film() {}
  // After reserve(), instead of writing there: a device makes the rows of this, or it happens here later.
  virtual void leave(std::shared_ptr<const kernels::Decoded> /*item*/) {}
  // Counts rows that were made elsewhere and copied to where reserve() said.
  virtual void count_copied(std::int64_t rows) = 0;
  // How much each row counts in the mean: finite, not negative, with a positive sum.
  virtual void weigh(std::vector<float> weights) = 0;
  virtual std::int64_t row_bytes() const = 0;       // after reserve
  virtual std::int64_t length_of_rows() const = 0;  // likewise

 protected:
  ~ItemRows() = default;
};

class Callbacks : public Engine {
 public:
  // Null, or why the item cannot be prepared. Called by several threads.
  virtual FailurePtr prepare(const Request& request, ItemRows& rows) = 0;
  // Every accepted request comes here exactly once, from any thread.
  virtual void deliver(std::span<const Delivery> deliveries) noexcept = 0;
};

// Runs the rows of a batch without holes, at most `limit` at a time. A failure is narrowed down to the
// requests that cause it, which alone get it; out of memory halves `limit` and goes on. Where `lost` says
// why no call can succeed any more, the requests that have no vectors yet fail with that, and none is tried.
struct RunCounts {
  std::int64_t calls = 0;
  std::int64_t splits = 0;
  std::int64_t halvings = 0;
};
RunCounts run_batch(Engine& engine, Batch& batch, std::int64_t dim, std::int64_t& limit,
                    const std::function<FailurePtr()>& lost = nullptr);

}  // namespace bindrt::pipeline
