// An op's queue on a real device: a stream with memory for what passes through it.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "csrc/gpu/memory.h"
#include "csrc/gpu/stream.h"
#include "kernels/base/gpu.h"

namespace bindrt::gpu {

// Device memory for the work of one stream, handed out piece by piece and taken back all at once. After
// rewind() it is handed out again, which is safe at once since a stream's work is done in order. Keeps the
// most that was ever needed.
class Arena {
 public:
  static constexpr std::size_t kFirstBlock = std::size_t{1} << 20;

  // Beyond `most` bytes it takes no more than what is asked for.
  explicit Arena(const Stream& stream, std::size_t most = std::numeric_limits<std::size_t>::max())
      : stream_(stream), most_(most) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* take(std::size_t bytes);       // aligned to 256 bytes; a null pointer for none
  void rewind();                       // waits only where the last use needed more than ever before
  std::size_t bytes() const noexcept;  // that it holds

  // Takes back what was handed out since a mark.
  struct Mark {
    std::size_t blocks;
    std::size_t used;
  };
  Mark mark() const noexcept { return {blocks_.size(), used_}; }
  void rewind_to(const Mark& mark) noexcept { used_ = blocks_.size() == mark.blocks ? mark.used : 0; }

 private:
  void grow(std::size_t bytes);

  const Stream& stream_;
  const std::size_t most_;
  std::vector<DeviceMemory> blocks_;  // pieces come from the last one
  std::size_t used_ = 0;              // bytes of the last block
};

// Page-locked memory that copies to the device pass through, so that their source is free at once and the
// caller does not wait for the device, unless more than `most` bytes are on their way.
class Staging {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  static constexpr std::size_t kChunk = std::size_t{4} << 20;

  explicit Staging(const Stream& stream, std::size_t most = kMostBytes) : stream_(stream), most_(most) {}
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  void upload(cu::Pointer device, const void* host, std::size_t bytes);

 private:
  struct Chunk {
    Chunk(const Context& context, std::size_t bytes) : memory(context, bytes), copied(context) {}
    PinnedMemory memory;
    Event copied;  // recorded when the chunk is full
  };

  Chunk& room();  // a chunk with at least a byte free
  void retire();  // the current chunk, which is full

  const Stream& stream_;
  const std::size_t most_;
  std::unique_ptr<Chunk> current_;
  std::size_t used_ = 0;
  std::deque<std::unique_ptr<Chunk>> busy_;  // oldest first
};

// What a queue takes, in bytes. Of scratch memory it takes more where that is asked for, but no more than
// that.
struct QueueLimits {
  std::size_t scratch = std::numeric_limits<std::size_t>::max();
  std::size_t tables = std::size_t{32} << 20;  // that are kept
  std::size_t staged = Staging::kMostBytes;    // page-locked; a multiple of a chunk
  constexpr std::size_t on_device() const noexcept { return scratch + tables; }
};

// For one thread at a time. Its destructor waits for the work.
class StreamQueue final : public kernels::GpuQueue {
 public:
  explicit StreamQueue(Context& context, const QueueLimits& limits = {})
      : StreamQueue(context, std::make_unique<Stream>(context), limits) {}
  StreamQueue(Context& context, std::unique_ptr<Stream> stream, const QueueLimits& limits = {});
  ~StreamQueue() override;

  void* scratch(std::size_t bytes) override { return arena_.take(bytes); }
  void upload(void* device, const void* host, std::size_t bytes) override;
  void upload_pinned(void* device, const void* host, std::size_t bytes) override;
  const void* table(const std::string& key, const std::function<std::vector<std::byte>()>& make) override;
  void launch(const char* kernel, const kernels::LaunchShape& shape, const void* params,
              std::size_t params_bytes) override;
  using GpuQueue::launch;

  // Copies to the host; `host` is written by the time wait() returns.
  void download(void* host, const void* device, std::size_t bytes);
  void fill(void* device, unsigned char value, std::size_t bytes);

  // Ends the use of all scratch memory and tables that were handed out: what is queued from now on may be
  // given the memory.
  void rewind();

  Arena::Mark mark() const noexcept { return arena_.mark(); }
  void rewind_to(const Arena::Mark& mark) noexcept { arena_.rewind_to(mark); }

  void wait() const { stream_->wait(); }

  Context& context() const noexcept { return context_; }
  Stream& stream() const noexcept { return *stream_; }
  std::size_t scratch_bytes() const noexcept { return arena_.bytes(); }
  std::size_t uploaded_bytes() const noexcept { return uploaded_; }  // so far

 private:
  Context& context_;
  std::unique_ptr<Stream> stream_;
  const std::size_t most_tables_;
  Arena arena_;
  Staging staging_;
  std::map<std::string, DeviceMemory> tables_;
  std::size_t table_bytes_ = 0;
  bool too_many_tables_ = false;
  std::size_t uploaded_ = 0;
};

}  // namespace bindrt::gpu
