// A simulated model for tests of the pipeline: knows of every item what must become of it, and looks for
// rows that belong to another item, were not written, or were changed too early.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <limits>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "csrc/pipeline/pipeline.h"
#include "tests/cpp/check.h"

namespace bindrt::simulated {

using namespace bindrt::pipeline;

constexpr std::int64_t kDim = 3;
constexpr std::int64_t kRowNumbers = 4;  // numbers of a row of length 0; a row of length n has n more
constexpr float kPoison = -12345.0F;
constexpr int kNotFinite = 65535;  // the number of an item whose vector is not finite

// A row holds its item's number in all places but the first, and there the number of the row. The engine
// makes (item + row / 64, 1, length of the class) of it, exactly representable for items below 2^16.
struct Item {
  int number = 0;
  std::int64_t rows = 1;
  std::int64_t length = 0;
  bool weighted = false;          // the last row alone counts
  bool bad = false;               // the engine fails on it
  bool unreadable = false;        // preparing fails ...
  bool throws = false;            // ... by an exception, before anything is reserved
  bool leaves = false;            // its rows to a device, if that has room
  bool unmakable = false;         // and then they cannot be made on the host
  std::int64_t tried = 0;         // rows that preparing reserves first, and gives up
  int slow = 0;                   // microseconds of preparing
  std::atomic<bool> held{false};  // preparing lasts until it is false
  std::vector<float> ready;
  std::shared_ptr<void> lent;  // memory of its ready rows that may be gone once it is delivered

  std::atomic<int> deliveries{0};
  Outcome outcome = Outcome::kClosed;
  std::string message;
  std::vector<float> vector;

  void write(float* to, std::int64_t numbers) const {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < numbers; ++i) {
        *to++ = static_cast<float>(i == 0 ? static_cast<int>(row) : number);
      }
    }
  }
  // The first number of its vector.
  double mean() const {
    const double row = weighted ? static_cast<double>(rows - 1) : static_cast<double>(rows - 1) / 2;
    return number + row / 64;
  }
};

// The rows of an item, in memory that a device reads.
class Left final : public kernels::Decoded {
 public:
  Left(std::shared_ptr<std::byte> memory, std::size_t bytes, bool makable)
      : memory_(std::move(memory)), bytes_(bytes), makable_(makable) {}

  bool make(void* out) const noexcept override {
    if (makable_) {
      std::memcpy(out, memory_.get(), bytes_);
    }
    return makable_;
  }
  void queue(kernels::GpuQueue& queue, std::span<const Decoded* const> items, kernels::OutType /*type*/,
             void* out) const override {
    auto* to = static_cast<std::byte*>(out);
    for (const Decoded* const item : items) {
      const Left& left = *static_cast<const Left*>(item);
      queue.upload_pinned(to, left.memory_.get(), left.bytes_);
      to += left.bytes_;
    }
  }

 private:
  const std::shared_ptr<std::byte> memory_;
  const std::size_t bytes_;
  const bool makable_;
};

inline std::vector<LengthClass> length_classes(const std::vector<std::int64_t>& lengths) {
  std::vector<LengthClass> classes;
  for (const std::int64_t length : lengths) {
    classes.push_back({length, (kRowNumbers + length) * static_cast<std::int64_t>(sizeof(float))});
  }
  return classes;
}

class Model final : public Callbacks {
 public:
  std::atomic<std::int64_t> memory_rows{1 << 30};  // more rows in a call are out of memory
  std::atomic<int> engine_microseconds{0};
  std::atomic<bool> held{false};  // calls of the engine last until it is false
  std::atomic<int> jitter{0};     // up to so many microseconds of delay here and there
  std::atomic<std::int64_t> most_rows{0};
  std::atomic<int> calls{0};
  std::function<void(const Delivery&)> on_delivery;
  std::function<void(const EngineCall&)> on_call;

  FailurePtr prepare(const Request& request, ItemRows& rows) override {
    const Item& item = *static_cast<const Item*>(request.tag.get());
    pause(item.slow);
    wait_while(item.held);
    if (item.throws) {
      throw std::runtime_error("cannot be read");
    }
    if (item.tried > 0) {
      rows.reserve(item.tried, item.length);
      dither();
    }
    auto* const to = static_cast<float*>(rows.reserve(item.rows, item.length));
    const std::int64_t numbers = rows.row_bytes() / static_cast<std::int64_t>(sizeof(float));
    CHECK(numbers == kRowNumbers + rows.length_of_rows());
    CHECK(rows.length_of_rows() >= item.length);
    dither();
    if (item.unreadable) {
      return make_failure("damaged");
    }
    const auto bytes = static_cast<std::size_t>(item.rows * rows.row_bytes());
    if (auto room = item.leaves ? rows.room(bytes, item.rows) : nullptr) {
      item.write(reinterpret_cast<float*>(room.get()), numbers);
      rows.leave(std::make_shared<Left>(std::move(room), bytes, !item.unmakable));
    } else {
      item.write(to, numbers);
    }
    if (item.weighted) {
      std::vector<float> weights(static_cast<std::size_t>(item.rows), 0.0F);
      weights.back() = 2.0F;
      rows.weigh(std::move(weights));
    }
    dither();
    return nullptr;
  }

  EngineResult run(const EngineCall& call) override {
    ++calls;
    if (on_call) {
      on_call(call);
    }
    std::int64_t most = most_rows.load();
    while (call.rows > most && !most_rows.compare_exchange_weak(most, call.rows)) {
    }
    pause(engine_microseconds.load());
    wait_while(held);
    dither();
    if (call.rows > memory_rows.load()) {
      return {EngineResult::Status::kOutOfMemory, make_failure("out of memory")};
    }
    const std::int64_t numbers = kRowNumbers + call.length;
    const auto* in = static_cast<const float*>(call.input);
    bool bad = false;
    for (std::int64_t row = 0; row < call.rows; ++row, in += numbers) {
      for (std::int64_t i = 2; i < numbers; ++i) {
        CHECK(in[i] == in[1]);
      }
      const std::lock_guard lock(mutex_);
      bad = bad || bad_items_.contains(static_cast<int>(in[1]));
      float* const out = call.output + row * kDim;
      out[0] = in[1] == static_cast<float>(kNotFinite) ? std::numeric_limits<float>::quiet_NaN()
                                                       : in[1] + in[0] / 64.0F;
      out[1] = 1.0F;
      out[2] = static_cast<float>(call.length);
    }
    if (bad) {
      return {EngineResult::Status::kFailed, make_failure("bad item")};
    }
    return {};
  }

  void deliver(std::span<const Delivery> deliveries) noexcept override {
    for (const Delivery& delivery : deliveries) {
      dither();
      Item& item = *static_cast<Item*>(delivery.request->tag.get());
      item.outcome = delivery.outcome;
      item.message = delivery.failure == nullptr ? "" : delivery.failure->message;
      if (delivery.vector != nullptr) {
        item.vector.assign(delivery.vector, delivery.vector + kDim);
      }
      item.lent.reset();
      item.deliveries.fetch_add(1);
      if (on_delivery) {
        on_delivery(delivery);
      }
    }
  }

  void fail_on(int number) {
    const std::lock_guard lock(mutex_);
    bad_items_.emplace(number, true);
  }

 private:
  static void pause(int microseconds) {
    if (microseconds > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    }
  }

  static void wait_while(const std::atomic<bool>& held) {
    while (held.load()) {
      pause(100);
    }
  }

  void dither() const {
    const int most = jitter.load();
    if (most == 0) {
      return;
    }
    thread_local std::minstd_rand random(
        static_cast<unsigned>(std::hash<std::thread::id>{}(std::this_thread::get_id()) & 0xFFFFFFU));
    switch (random() % 4) {
      case 0:
        std::this_thread::yield();
        break;
      case 1:
        pause(static_cast<int>(random() % static_cast<unsigned>(most)));
        break;
      default:
        break;
    }
  }

  std::mutex mutex_;
  std::map<int, bool> bad_items_;
};

inline LaneOptions lane(const char* name, std::int64_t max_batch, std::int64_t item_rows = 1) {
  LaneOptions options;
  options.name = name;
  options.classes = length_classes({0});
  options.dim = kDim;
  options.max_batch = max_batch;
  options.item_rows = item_rows;
  return options;
}

inline RequestPtr request_for(const std::shared_ptr<Item>& item, int lane_index = 0) {
  auto request = std::make_shared<Request>();
  request->lane = lane_index;
  request->tag = item;
  request->normalize = false;
  return request;
}

// Input that needs no preparing, in rows of a class's length.
inline void make_ready(Request& request, Item& item, std::int64_t class_length) {
  const std::int64_t numbers = kRowNumbers + class_length;
  item.ready.resize(static_cast<std::size_t>(item.rows * numbers));
  item.write(item.ready.data(), numbers);
  request.ready =
      Ready{item.ready.data(), item.rows, numbers * static_cast<std::int64_t>(sizeof(float)), item.length};
}

// The same by memory that is somebody else's, of which a device makes the rows.
inline void lend_ready(Request& request, Item& item, std::int64_t class_length) {
  item.length = class_length;
  const std::int64_t numbers = kRowNumbers + class_length;
  const auto bytes = static_cast<std::size_t>(item.rows * numbers) * sizeof(float);
  const std::shared_ptr<std::byte> memory(new std::byte[bytes], [bytes](std::byte* ended) {
    std::memset(ended, 0x7f, bytes);
    delete[] ended;
  });
  item.write(reinterpret_cast<float*>(memory.get()), numbers);
  item.lent = memory;
  const std::shared_ptr<std::byte> unowned(memory.get(), [](std::byte*) {});
  request.ready = Ready{nullptr, item.rows, 0, class_length, std::make_shared<Left>(unowned, bytes, true)};
}

// Checks a delivered vector of a request that was not normalised.
inline void check_vector(const Item& item) {
  CHECK(item.vector.size() == static_cast<std::size_t>(kDim));
  if (item.vector.size() == static_cast<std::size_t>(kDim)) {
    CHECK_NEAR(item.vector[0], item.mean(), 1e-3);
    CHECK_NEAR(item.vector[1], 1.0, 1e-6);
    CHECK(item.vector[2] >= static_cast<float>(item.length));
  }
}

// A pipeline of the model, its items and workers.
struct World {
  explicit World(std::vector<LaneOptions> lanes, int threads = 2)
      : model(std::make_shared<Model>()),
        workers(Workers::make(threads)),
        pipeline(Pipeline::make(std::move(lanes), model, workers)) {}

  std::shared_ptr<Item> item(int number, std::int64_t rows = 1) {
    auto made = std::make_shared<Item>();
    made->number = number;
    made->rows = rows;
    items.push_back(made);
    return made;
  }
  RequestPtr submit(const std::shared_ptr<Item>& item, int lane_index = 0, int priority = 0) {
    const RequestPtr request = request_for(item, lane_index);
    request->priority = priority;
    CHECK(pipeline->submit(request) == Submitted::kAccepted);
    return request;
  }
  // Until the engine is in a call, where it stays while it is held.
  void wait_for_engine(int calls = 1) {
    while (model->calls.load() < calls) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  // Until the engine's thread has nothing to do and sleeps.
  void wait_for_sleep() const {
    while (!pipeline->idle()) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  void drain() {
    model->held = false;
    pipeline->close(Closing::kDrain);
  }

  std::shared_ptr<Model> model;
  std::shared_ptr<Workers> workers;
  std::shared_ptr<Pipeline> pipeline;
  std::vector<std::shared_ptr<Item>> items;
};

inline void check_all_done(const World& world) {
  for (const auto& item : world.items) {
    CHECK(item->deliveries.load() == 1);
    CHECK(item->outcome == Outcome::kDone);
    check_vector(*item);
  }
}

}  // namespace bindrt::simulated
