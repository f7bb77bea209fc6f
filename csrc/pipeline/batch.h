// Batches and the memory they live in: a view is a slot, a row of the engine's input.
#pragma once

#include <memory>
#include <vector>

#include "csrc/pipeline/device.h"
#include "csrc/pipeline/request.h"
#include "kernels/base/decoded.h"

namespace bindrt::pipeline {

// Input of one length; lanes whose inputs all have one shape have one class of length 0.
struct LengthClass {
  std::int64_t length = 0;
  std::int64_t row_bytes = 0;
};

struct Batch {
  struct Entry {
    RequestPtr request;
    std::int64_t first = 0;
    std::int64_t rows = 0;
    bool dropped = false;  // its rows are holes
    FailurePtr failure;    // of the engine
    std::shared_ptr<const kernels::Decoded>
        decoded;  // of which its rows are still to be made; null: they are
  };

  // Without memory of its own if `borrows`; else that of `device`, if it is to run there.
  Batch(int lane_index, std::size_t class_index, const LengthClass& kind, std::int64_t rows, std::int64_t dim,
        const void* borrows, const std::shared_ptr<Device>& device);

  // The input of a row, in the batch's own memory or the caller's.
  const std::byte* input() const noexcept { return borrowed != nullptr ? borrowed : memory.get(); }
  std::byte* row(std::int64_t index) noexcept { return memory.get() + index * row_bytes; }
  std::size_t live() const noexcept { return entries.size() - dropped; }

  void clear() noexcept;  // to be filled again
  // Moves rows down over holes. What is left is contiguous, in order. Returns the rows that were moved.
  std::int64_t close_holes();  // borrowed rows are copied, to memory of its own
  // Makes the rows here that a device was to make. An entry whose rows cannot be made fails.
  void make_rows();

  struct Free {
    std::shared_ptr<Device> device;  // whose memory it is; null: the process's
    void operator()(std::byte* memory) const noexcept;
  };
  using Memory = std::unique_ptr<std::byte, Free>;

  int lane;
  std::size_t length_class;
  std::int64_t length;
  std::int64_t row_bytes;
  std::int64_t capacity;  // rows
  Memory memory;
  std::vector<float> output;           // [capacity, dim], the engine's
  std::vector<float> pooled;           // [entries, dim]
  const float* from_device = nullptr;  // [entries, dim]: pooled there
  std::int64_t device_calls = 0;       // of the engine there

  const std::byte* borrowed;  // the caller's memory, instead of our own
  bool single_use = false;    // its memory fits its requests alone
  std::vector<Entry> entries;
  std::int64_t used = 0;    // rows reserved
  std::int64_t credit = 0;  // rows that its lane counts for it
  std::int64_t handed = 0;  // rows that its lane counts as the engine's, once that has it
  std::size_t pending = 0;  // entries that are still being written
  std::size_t dropped = 0;
  bool full = false;     // takes no more
  bool patient = false;  // all its requests are
  int priority = 0;      // the highest of its requests'
  Time opened;           // when its first rows were reserved
  Time run_begin, run_end;
  std::uint64_t number = 0;
};
using BatchPtr = std::unique_ptr<Batch>;

}  // namespace bindrt::pipeline
