// The GPU's side of the pipeline for its random schedules: csrc/gpu over the driver that BINDRT_LIBCUDA
// names, with an engine that is a kernel, a function of the host queued on the stream, or either; and that
// fails now and then.
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <deque>
#include <utility>

#include "csrc/gpu/batch_device.h"
#include "csrc/gpu/lent_rows.h"
#include "tests/cpp/stress.h"
#include "tests/csrc/pipeline/simulated_device.h"
#include "tests/cudasim/encoder_params.h"

namespace bindrt::gpu {

using namespace bindrt::simulated;

inline const KernelSet& stress_kernels() {
  if (!embedded_kernels().images.empty()) {
    return embedded_kernels();
  }
  static constexpr char kPtx[] =
      ".version 8.4\n.target sm_75\n"
      ".visible .entry bindrt_pool_views(.param .align 8 .b8 p[56]) {}\n"
      ".visible .entry bindrt_encoder_rows(.param .align 8 .b8 p[32]) {}\n";
  static const Image images[] = {
      {"all", ImageKind::kPtx, 75, {reinterpret_cast<const std::byte*>(kPtx), sizeof kPtx}}};
  static const KernelName kernels[] = {{"bindrt_pool_views", "all"}, {"bindrt_encoder_rows", "all"}};
  static const KernelSet all{"by hand", images, kernels};
  return all;
}

inline Context& stress_context() {
  static Context& context = *new Context(Driver::instance(), 0, stress_kernels());
  return context;
}

// What all cases did, told at the end.
struct Totals {
  std::atomic<std::uint64_t> batches{0}, left{0}, pieces{0}, graphs{0}, replays{0}, refused{0};
  ~Totals() {
    const auto number = [](const auto& of) { return static_cast<unsigned long long>(of.load()); };
    std::printf(
        "%llu batches on the device, %llu graphs, %llu replays, %llu made there, %llu pieces, %llu refused\n",
        number(batches), number(graphs), number(replays), number(left), number(pieces), number(refused));
  }
};
inline Totals totals;

class StressDevice final : public Device {
 public:
  StressDevice(std::shared_ptr<Model> model, const std::vector<LaneOptions>& lanes, stress::Bytes& bytes)
      : model_(std::move(model)),
        as_function_(functions_reach_the_device() ? bytes.number(0, 2) : 0),
        fails_every_(bytes.chance(3) ? bytes.number(2, 9) : 0),
        device_(stress_context(), sizes(lanes),
                {.sets = static_cast<std::size_t>(bytes.range(1, 3)),
                 .graphs = bytes.chance(3) ? std::size_t{0} : static_cast<std::size_t>(bytes.range(1, 20))},
                [this](const EngineWork& work) { enqueue(work); }) {}
  ~StressDevice() override {
    const GraphCache::Counts counts = device_.graph_counts();
    totals.graphs += counts.recorded;
    totals.replays += counts.launched;
    totals.refused += counts.refused;
  }

  std::size_t depth() const noexcept override { return device_.depth(); }
  std::byte* allocate(std::size_t bytes) noexcept override { return device_.allocate(bytes); }
  void free(std::byte* memory) noexcept override { device_.free(memory); }

  std::shared_ptr<std::byte> room(std::size_t bytes) noexcept override { return device_.room(bytes); }

  Started start(const Batch& batch, std::int64_t limit) override {
    CHECK(batch.live() > 0);
    if (std::min(batch.used, limit) > model_->memory_rows.load()) {
      throw std::bad_alloc();
    }
    refuse_bad(batch);
    const Started started = device_.start(batch, std::min(limit, model_->memory_rows.load()));
    ++totals.batches;
    totals.pieces += started.calls > 1 ? static_cast<std::uint64_t>(started.calls) : 0;
    totals.left += std::any_of(batch.entries.begin(), batch.entries.end(),
                               [](const Batch::Entry& each) { return each.decoded != nullptr; })
                       ? 1
                       : 0;
    return started;
  }
  const float* wait() override { return device_.wait(); }
  void require() override { device_.require(); }
  void store(std::uint64_t target, const float* vector, std::int64_t dim) override {
    device_.store(target, vector, dim);
  }

 private:
  // A real driver's must not touch device memory.
  static bool functions_reach_the_device() { return stress_context().driver().simulated(); }

  static BatchSizes sizes(const std::vector<LaneOptions>& lanes) {
    BatchSizes most{0, 0, kDim};
    for (const LaneOptions& lane : lanes) {
      most.rows = std::max(most.rows, lane.max_batch);
      most.row_bytes = std::max(most.row_bytes, lane.classes.back().row_bytes);
    }
    return most;
  }

  void enqueue(const EngineWork& work) {
    CHECK(work.kept || !work.recording);
    CHECK(work.rows <= model_->memory_rows.load());
    if (++enqueued_; fails_every_ > 0 && enqueued_ % fails_every_ == 0) {
      throw std::runtime_error("the engine fails now and then");
    }
    const cudasim::encoder::RowsParams params{reinterpret_cast<const float*>(work.source),
                                              reinterpret_cast<float*>(work.target),
                                              kRowNumbers + work.length, work.length};
    if (as_function_ == 0 || (as_function_ == 1 && enqueued_ % 2 == 0)) {
      stress_context().launch(work.stream, "bindrt_encoder_rows",
                              {.grid_x = static_cast<std::uint32_t>(work.rows), .block_x = 32}, &params,
                              sizeof params);
      return;
    }
    functions_.push_back({params, work.rows});
    const Context::Current current(stress_context());
    if (launch_function()(work.stream, &run_function, &functions_.back()) != cu::kSuccess) {
      CHECK(work.recording);  // which may fail
      throw std::runtime_error("the driver takes no function");
    }
  }

  struct Function {
    cudasim::encoder::RowsParams params;
    std::int64_t rows;
  };
  static void run_function(void* argument) {
    const auto& [params, rows] = *static_cast<const Function*>(argument);
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* const in = params.rows + row * params.numbers;
      bool whole = true;
      for (std::int64_t i = 2; i < params.numbers; ++i) {
        whole = whole && in[i] == in[1];
      }
      float* const out = params.out + row * kDim;
      out[0] = whole ? in[1] + in[0] / 64.0F : -1e30F;
      out[1] = 1.0F;
      out[2] = static_cast<float>(params.length);
    }
  }

  using LaunchFunction = cu::Result (*)(cu::Stream, void (*)(void*), void*);
  static LaunchFunction launch_function() {
    static const auto found = reinterpret_cast<LaunchFunction>(
        dlsym(dlopen(Driver::default_path().c_str(), RTLD_NOW), "cuLaunchHostFunc"));
    return found;
  }

  const std::shared_ptr<Model> model_;
  const int as_function_;  // 0: a kernel; 2: a function; 1: either
  const int fails_every_;  // so many calls; 0: never
  int enqueued_ = 0;
  std::deque<Function> functions_;  // what is queued or recorded points here
  BatchDevice device_;
};

// Where a vector is wanted. Places that are made one after the other are neighbours, as those of one array.
class StressPlace {
 public:
  std::uint64_t address() const noexcept { return row_->address() + begin_; }
  std::vector<float> read() const {
    std::vector<float> found(static_cast<std::size_t>(kDim));
    StreamQueue queue(stress_context());
    queue.download(found.data(), reinterpret_cast<const void*>(address()), kBytes);
    queue.wait();
    return found;
  }

 private:
  static constexpr std::size_t kBytes = kDim * sizeof(float);
  static constexpr std::size_t kPlaces = 16;  // of a row

  // The last row that was made, for one thread, and how much of it is in use.
  struct Last {
    std::shared_ptr<DeviceMemory> row;
    std::size_t used = kPlaces * kBytes;
  };
  static Last& last() {
    static Last& instance = *new Last();  // outlives static destructors
    return instance;
  }
  static std::shared_ptr<DeviceMemory> row_with_room() {
    if (last().used == kPlaces * kBytes) {
      const std::vector<float> poison(kPlaces * static_cast<std::size_t>(kDim), kPoison);
      last() = {std::make_shared<DeviceMemory>(stress_context(), kPlaces * kBytes), 0};
      StreamQueue queue(stress_context());
      queue.upload(last().row->data(), poison.data(), kPlaces * kBytes);
      queue.wait();
    }
    return last().row;
  }

  const std::shared_ptr<DeviceMemory> row_ = row_with_room();
  const std::size_t begin_ = std::exchange(last().used, last().used + kBytes);
};

// Rows that another library has on the device, or will: its stream is late.
class Lending {
 public:
  Lending(const Item& item, std::int64_t numbers)
      : bytes_(static_cast<std::size_t>(item.rows * numbers) * sizeof(float)),
        source_(stress_context(), bytes_),
        memory_(stress_context(), bytes_),
        stream_(stress_context()),
        written_(std::make_shared<Event>(stress_context())) {
    item.write(reinterpret_cast<float*>(source_.data()), numbers);
    stress_context().call("rows of another library", &cu::Api::copy_to_device, memory_.address(),
                          static_cast<const void*>(source_.data()), bytes_, stream_.handle());
    written_->record(stream_);
  }
  Lending(const Lending&) = delete;
  Lending& operator=(const Lending&) = delete;
  ~Lending() { stress_context().ask(&cu::Api::stream_synchronize, stream_.handle()); }

  std::shared_ptr<const kernels::Decoded> rows(std::int64_t count) const {
    RowLayout layout;
    layout.rows = count;
    layout.part_bytes = static_cast<std::int64_t>(bytes_) / count;
    const auto memory =
        std::make_shared<const LentMemory>(stress_context(), memory_.address(), bytes_, written_);
    return std::make_shared<const LentRows>(memory, layout);
  }

 private:
  const std::size_t bytes_;
  PinnedMemory source_;
  DeviceMemory memory_;
  Stream stream_;
  const std::shared_ptr<Event> written_;
};

inline void lend_rows(Request& request, Item& item, std::int64_t class_length) {
  item.length = class_length;
  const auto lending = std::make_shared<Lending>(item, kRowNumbers + class_length);
  item.lent = lending;
  request.ready = Ready{nullptr, item.rows, 0, class_length, lending->rows(item.rows)};
}

}  // namespace bindrt::gpu
