// A device for tests of the pipeline: reads a batch's rows only when it is waited for, and keeps vectors no
// longer than it must.
#pragma once

#include <algorithm>
#include <deque>
#include <limits>
#include <tuple>
#include <utility>

#include "kernels/pool/pool.h"
#include "tests/csrc/pipeline/simulated_pipeline.h"

namespace bindrt::simulated {

// As the engine does on items that it fails on.
inline void refuse_bad(const Batch& batch) {
  for (const Batch::Entry& entry : batch.entries) {
    if (static_cast<const Item*>(entry.request->tag.get())->bad) {
      throw std::runtime_error("bad item");
    }
  }
}

// A device's queue that is the host's.
class HostQueue final : public kernels::GpuQueue {
 public:
  void* scratch(std::size_t) override { return nullptr; }
  void upload(void* device, const void* host, std::size_t bytes) override {
    std::memcpy(device, host, bytes);
  }
  void launch(const char*, const kernels::LaunchShape&, const void*, std::size_t) override {}
};

class SimulatedDevice final : public Device {
 public:
  SimulatedDevice(std::shared_ptr<Model> model, int depth)
      : model_(std::move(model)), vectors_(static_cast<std::size_t>(depth)) {}
  ~SimulatedDevice() override {
    CHECK(allocated_.load() == 0);
    CHECK(rooms_->load() == 0);
  }

  std::atomic<int> starts{0};
  std::atomic<std::size_t> most{0};  // at once: started and not waited for
  std::atomic<bool> lost{false};
  std::function<void()> at_start, at_wait;
  std::function<void()> at_allocate;  // and when memory is freed
  std::atomic<int> together{0};       // the most calls of allocate() at once

  std::size_t depth() const noexcept override { return vectors_.size(); }

  std::byte* allocate(std::size_t bytes) noexcept override {
    together.store(std::max(together.load(), allocating_.fetch_add(1) + 1));
    if (at_allocate) {
      at_allocate();
    }
    allocating_.fetch_sub(1);
    if (bytes % 3 == 0) {
      return nullptr;
    }
    allocated_.fetch_add(1);
    return new std::byte[bytes];
  }
  void free(std::byte* memory) noexcept override {
    if (at_allocate) {
      at_allocate();
    }
    allocated_.fetch_sub(1);
    delete[] memory;
  }

  std::shared_ptr<std::byte> room(std::size_t bytes) noexcept override {
    if (bytes % 3 == 0) {
      return nullptr;
    }
    rooms_->fetch_add(1);
    return {new std::byte[bytes], [rooms = rooms_](const std::byte* memory) {
              delete[] memory;
              rooms->fetch_sub(1);
            }};
  }

  Started start(const Batch& batch, std::int64_t limit) override {
    CHECK(batch.live() > 0);
    if (at_start) {
      at_start();
    }
    refuse_if_lost();
    CHECK(started_ - ended_.load() < depth());
    if (std::min(batch.used, limit) > model_->memory_rows.load()) {
      throw std::bad_alloc();
    }
    if (batch.used % 2 == 0) {  // else wait() meets it
      refuse_bad(batch);
    }
    std::vector<float>& vectors = vectors_[started_ % depth()];
    std::fill(vectors.begin(), vectors.end(), kPoison);  // of the batch before, which is over
    ++started_;
    most.store(std::max(most.load(), started_ - ended_.load()));
    const std::lock_guard lock(mutex_);
    queue_.push_back({&batch, limit});
    starts.fetch_add(1);
    return {static_cast<std::size_t>(batch.used * batch.row_bytes), (batch.used + limit - 1) / limit};
  }

  const float* wait() override {
    const Batch* batch = nullptr;
    std::int64_t limit = 0;
    {
      const std::lock_guard lock(mutex_);
      std::tie(batch, limit) = queue_.front();
      queue_.pop_front();
    }
    std::vector<float>& vectors = vectors_[ended_.fetch_add(1) % depth()];
    if (at_wait) {
      at_wait();
    }
    refuse_if_lost();
    std::vector<std::byte> input(batch->input(), batch->input() + batch->used * batch->row_bytes);
    HostQueue queue_of_host;
    for (const Batch::Entry& entry : batch->entries) {
      if (entry.decoded != nullptr) {
        const kernels::Decoded* const item = entry.decoded.get();
        item->queue(queue_of_host, std::span(&item, 1), kernels::OutType::kFloat32,
                    input.data() + entry.first * batch->row_bytes);
      }
    }
    std::vector<float> rows(static_cast<std::size_t>(batch->used * kDim));
    for (std::int64_t first = 0; first < batch->used; first += limit) {
      const EngineResult result =
          model_->run({batch->lane, batch->length, input.data() + first * batch->row_bytes,
                       std::min(limit, batch->used - first), rows.data() + first * kDim});
      if (result.status != EngineResult::Status::kOk) {
        throw std::runtime_error(result.failure->message);
      }
    }
    vectors.resize(std::max(vectors.size(), batch->entries.size() * static_cast<std::size_t>(kDim)));
    float* to = vectors.data();
    for (const Batch::Entry& entry : batch->entries) {
      const Request& request = *entry.request;
      kernels::pool_views({rows.data() + entry.first * kDim,
                           request.weights.empty() ? nullptr : request.weights.data(), &entry.rows, 1, kDim},
                          {.normalize = request.normalize}, to);
      if (request.target != 0) {
        store(request.target, to, kDim);
      }
      to += kDim;
    }
    return vectors.data();
  }

  void require() override { refuse_if_lost(); }
  // A "device's" address is one of the host's here.
  void store(std::uint64_t target, const float* vector, std::int64_t dim) override {
    auto* const to = reinterpret_cast<float*>(target);
    for (std::int64_t i = 0; i < dim; ++i) {
      to[i] = vector == nullptr ? std::numeric_limits<float>::quiet_NaN() : vector[i];
    }
  }

 private:
  void refuse_if_lost() const {
    if (lost.load()) {
      throw DeviceLost("the device is lost");
    }
  }

  const std::shared_ptr<Model> model_;
  std::vector<std::vector<float>> vectors_;
  std::size_t started_ = 0;
  std::atomic<std::size_t> ended_{0};
  const std::shared_ptr<std::atomic<int>> rooms_ = std::make_shared<std::atomic<int>>(0);
  std::atomic<int> allocated_{0}, allocating_{0};
  std::mutex mutex_;
  std::deque<std::pair<const Batch*, std::int64_t>> queue_;  // with the rows that run at once
};

}  // namespace bindrt::simulated
