// A GPU as the pipeline of one encoder uses it. Three streams, ordered by events: rows in, engine and
// pooling, vectors out. With two sets of buffers a batch is copied in while the one before is computed and
// the one before that is copied out.
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "csrc/gpu/film_decoder.h"
#include "csrc/gpu/graph.h"
#include "csrc/gpu/memory_pool.h"
#include "csrc/gpu/picture_decoder.h"
#include "csrc/gpu/queue.h"
#include "csrc/pipeline/batch.h"
#include "csrc/pipeline/device.h"
#include "kernels/pool/pool_params.h"

namespace bindrt::gpu {

// What an engine queues on a stream: rows [rows, row of the lane and length] → float32 [rows, dim], both in
// device memory, aligned to 256 bytes. It does not wait; what it throws is std::bad_alloc or another
// std::exception.
struct EngineWork {
  int lane;
  std::int64_t length;
  std::int64_t rows;
  cu::Pointer source;
  cu::Pointer target;
  cu::Stream stream;
  bool kept;       // for a graph that is kept: what it launches must hold for as long as the engine
  bool recording;  // into that graph, now; the same work was queued just before
};
using Enqueue = std::function<void(const EngineWork&)>;

// The numbers of rows that graphs are kept for, in batches of at most `most` of items of so many rows: few,
// since each graph of each length and each set of buffers takes memory, of the driver's and of the engine's.
// The last is a full batch. So batches of fewer rows than the last but one are filled up to one of these;
// larger ones run as they are, unless the engine takes longer to queue them than a full graph to run.
std::vector<std::int64_t> graph_rows(std::int64_t most, std::int64_t item_rows = 1);

struct BatchSizes {
  std::int64_t rows = 0;       // rows of the largest batch
  std::int64_t row_bytes = 0;  // bytes of the longest row, as it comes from the host
  std::int64_t dim = 0;
  // What the engine takes. kFloat16: rows come from the host as float32, and are half as long for the engine.
  kernels::OutType input = kernels::OutType::kFloat32;

  // Bytes that a row of so many has where the engine reads it.
  std::size_t there(std::int64_t bytes) const noexcept {
    return static_cast<std::size_t>(input == kernels::OutType::kFloat32 ? bytes : bytes / 2);
  }
};

// Memory of batches that run in pieces, at most: on the device; and page-locked, what says how to pool them,
// and their vectors.
inline constexpr std::size_t kMostWhole = std::size_t{256} << 20;
inline constexpr std::size_t kMostWholeHere = std::size_t{8} << 20;

struct BatchDeviceOptions {
  std::size_t sets = 2;     // sets of buffers on the device
  std::size_t graphs = 32;  // that are kept; 0: none are made
  // Bytes there for what makes rows: more where that is asked for, but no more than that.
  std::size_t scratch = std::numeric_limits<std::size_t>::max();
  std::size_t whole = kMostWhole;   // bytes there of batches that run in pieces, at most
  bool makes_rows = true;           // of decoded items; else all rows come from the host
  DecodePictures decode = nullptr;  // null: pictures are decoded on the host
  DecodeFrom decode_from = {};      // which pictures
  FilmOptions films = {};           // videos that are decoded
  // By lane, the first one whose rows have the same shape: they share graphs. Empty: none do.
  std::vector<int> alike = {};
  std::vector<std::int64_t> item_rows = {};  // by lane; empty: one each
};

// Page-locked memory for decoded items, at most.
inline constexpr std::size_t kMostRoom = std::size_t{256} << 20;

// The limits of a queue that makes rows, besides its scratch memory.
inline constexpr QueueLimits kRowsQueue{
    .scratch = 0, .tables = std::size_t{8} << 20, .staged = std::size_t{16} << 20};

inline constexpr std::size_t kItemBytes = sizeof(kernels::PoolSpan) + sizeof(float);  // its span and weight

// Bytes of the device's memory that a BatchDevice allocates for batches of `sizes.rows` rows; and for one
// batch of so many that runs in pieces.
std::size_t device_bytes(const BatchSizes& sizes, std::size_t sets);
std::size_t whole_bytes(const BatchSizes& sizes);

class BatchDevice final : public pipeline::Device {
 public:
  // The context must outlive it. Device memory is allocated at the first batch: for fewer rows where it does
  // not suffice, and larger batches are out of memory then.
  BatchDevice(Context& context, const BatchSizes& sizes, const BatchDeviceOptions& options, Enqueue enqueue);
  BatchDevice(const BatchDevice&) = delete;
  BatchDevice& operator=(const BatchDevice&) = delete;
  ~BatchDevice() override;  // waits for what is queued

  std::size_t depth() const noexcept override { return options_.sets + 1; }
  std::byte* allocate(std::size_t bytes) noexcept override;
  void free(std::byte* memory) noexcept override;
  std::shared_ptr<std::byte> room(std::size_t bytes) noexcept override;
  bool may_decode(kernels::PictureCoding coding, std::int64_t pixels) const noexcept override;
  std::shared_ptr<const kernels::Decoded> decode(const kernels::EncodedPicture& picture) override {
    return pictures_->decode(picture);
  }
  std::unique_ptr<kernels::DeviceFilm> film(const kernels::FilmSize& size) override {
    return films_ == nullptr ? nullptr : films_->film(size);
  }
  Started start(const pipeline::Batch& batch, std::int64_t limit) override;
  const float* wait() override;
  void require() override;
  void store(std::uint64_t target, const float* vector, std::int64_t dim) override;

  GraphCache::Counts graph_counts() const noexcept;

 private:
  // Where a batch is on the device.
  struct Buffers {
    cu::Pointer input, items, output, vectors;
  };
  // On the device, for one batch after the other: each event says that a part of the set is free again.
  struct Set {
    Set(const Context& context, std::int64_t rows, const BatchSizes& sizes);
    Buffers buffers() const noexcept {
      return {input.address(), items.address(), output.address(), vectors.address()};
    }
    DeviceMemory input;    // rows
    DeviceMemory items;    // PoolSpan [rows], then weights, float32 [rows]
    DeviceMemory output;   // float32 [rows, dim], the engine's
    DeviceMemory vectors;  // float32 [rows, dim], pooled
    Event copied_in, computed, copied_out;
  };
  // On the host, page-locked.
  struct HostBuffers {
    std::byte* items;
    float* vectors;
  };
  // A batch of more rows than run at once has memory of its own, here and there.
  struct Whole {
    std::shared_ptr<std::byte> on_device, on_host;
    Buffers buffers;
    HostBuffers host;
  };
  // From start() until the vectors are handed over.
  struct Flight {
    Flight(const Context& context, std::int64_t rows, std::int64_t dim);
    HostBuffers host() const noexcept;
    // For a batch that was computed. Others may need the memory before this place comes round again.
    void free_whole() noexcept {
      if (whole) {
        whole->on_device = nullptr;
      }
    }
    PinnedMemory items;
    PinnedMemory vectors;
    Event done;
    std::optional<Whole> whole;
  };

  void allocate_most();
  void allocate_for(std::int64_t rows);
  // A batch as it is computed: `rows` of them, at least as many as it has.
  struct Filled {
    const pipeline::Batch& batch;
    std::int64_t rows;
    bool kept;  // there is a graph for so many
  };
  void run(const pipeline::Batch& batch, std::int64_t limit);
  void run_in_pieces(const pipeline::Batch& batch, std::int64_t most);
  void queue(const std::function<void(std::size_t index, Flight&)>& body);  // with the next set and flight
  Filled fill_up(const pipeline::Batch& batch, std::int64_t limit) const;
  void time_queueing(int lane, double seconds);
  Whole whole_for(const pipeline::Batch& batch);
  static void fill_items(const Filled& filled, std::byte* items);
  void copy_in(const Filled& filled, Set& set, const Buffers& to, const std::byte* items);
  void rows_in(const pipeline::Batch& batch, cu::Pointer input);
  void host_rows_in(const std::byte* rows, std::size_t bytes, std::byte* to);
  void compute(const Filled& filled, std::size_t index);
  int alike(int lane) const noexcept {
    return options_.alike.empty() ? lane : options_.alike[static_cast<std::size_t>(lane)];
  }
  void compute_pieces(const Filled& filled, std::int64_t most, Set& set, const Buffers& whole);
  void pool(std::int64_t rows, const Buffers& buffers);
  void copy_out(const pipeline::Batch& batch, Set& set, const Buffers& from, Flight& flight);
  void copy_to_targets(const pipeline::Batch& batch, cu::Pointer vectors);
  cu::Result settle() noexcept;  // waits for what is queued; what went wrong there

  Context& context_;
  const BatchSizes sizes_;
  const BatchDeviceOptions options_;
  const Enqueue enqueue_;
  Stream in_, compute_, out_;
  StreamQueue into_;  // of in_: makes rows of decoded items
  std::shared_ptr<PinnedPool> rooms_, wholes_on_host_;
  std::shared_ptr<DevicePool> wholes_;
  std::unique_ptr<PictureDecoder> pictures_;  // null: it decodes none
  std::unique_ptr<FilmDecoder> films_;        // likewise
  std::int64_t rows_ = 0;                     // that there is memory for
  // Batches are filled up to no more: the engine had no memory for more rows than the batch had.
  std::int64_t most_filled_ = std::numeric_limits<std::int64_t>::max();
  // By lane, the least seconds that the engine took lately to queue a batch for which no graph is kept: what
  // it takes where nothing else wants the processor.
  std::map<int, double> queueing_;
  std::vector<std::unique_ptr<Set>> sets_;
  std::vector<std::unique_ptr<Flight>> flights_;
  GraphCache graphs_;
  std::atomic<std::uint64_t> graphs_recorded_{0}, graphs_refused_{0}, graphs_launched_{0};
  std::size_t started_ = 0;
  std::size_t waited_ = 0;  // for the thread that waits
};

}  // namespace bindrt::gpu
