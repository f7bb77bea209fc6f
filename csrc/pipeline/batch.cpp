// The memory of a batch, and closing the holes that dropped items leave in it.

#include "csrc/pipeline/batch.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace bindrt::pipeline {
namespace {
constexpr std::align_val_t kAlignment{64};

Batch::Memory slots(std::size_t bytes, const std::shared_ptr<Device>& device) {
  if (std::byte* const shared = device == nullptr ? nullptr : device->allocate(bytes)) {
    return {shared, Batch::Free{device}};
  }
  return {static_cast<std::byte*>(::operator new(bytes, kAlignment)), Batch::Free{}};
}

}  // namespace

Batch::Batch(int lane_index, std::size_t class_index, const LengthClass& kind, std::int64_t rows,
             std::int64_t dim, const void* borrows, const std::shared_ptr<Device>& device)
    : lane(lane_index),
      length_class(class_index),
      length(kind.length),
      row_bytes(kind.row_bytes),
      capacity(rows),
      memory(borrows != nullptr ? Memory() : slots(static_cast<std::size_t>(rows * kind.row_bytes), device)),
      output(static_cast<std::size_t>(rows * dim)),
      borrowed(static_cast<const std::byte*>(borrows)) {}

void Batch::Free::operator()(std::byte* slot) const noexcept {
  device != nullptr ? device->free(slot) : ::operator delete(slot, kAlignment);
}

void Batch::clear() noexcept {
  entries.clear();
  used = credit = 0;
  pending = dropped = 0;
  full = patient = false;
  priority = 0;
  from_device = nullptr;
  device_calls = 0;
}

std::int64_t Batch::close_holes() {
  if (dropped == 0) {
    return 0;
  }
  if (borrowed != nullptr) {
    memory = slots(static_cast<std::size_t>(used * row_bytes), nullptr);
  }
  const std::byte* const from = input();
  std::int64_t to = 0;
  std::int64_t moved = 0;
  for (Entry& entry : entries) {
    if (entry.dropped) {
      continue;
    }
    if (entry.first != to || borrowed != nullptr) {
      std::memmove(row(to), from + entry.first * row_bytes, static_cast<std::size_t>(entry.rows * row_bytes));
      entry.first = to;
      moved += entry.rows;
    }
    to += entry.rows;
  }
  borrowed = nullptr;
  std::erase_if(entries, [](const Entry& entry) { return entry.dropped; });
  dropped = 0;
  used = to;
  return moved;
}

void Batch::make_rows() {
  for (Entry& entry : entries) {
    const std::shared_ptr<const kernels::Decoded> decoded = std::exchange(entry.decoded, nullptr);
    if (decoded != nullptr && !decoded->make(row(entry.first))) {
      std::memset(row(entry.first), 0,
                  static_cast<std::size_t>(entry.rows * row_bytes));  // the engine reads it
      entry.failure = make_failure("there is not enough memory to prepare it");
    }
  }
}

}  // namespace bindrt::pipeline
