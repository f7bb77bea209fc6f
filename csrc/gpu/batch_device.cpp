// Runs a batch on a GPU: rows in, engine and pooling, vectors out, each on a stream of its own.
#include "csrc/gpu/batch_device.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>
#include <utility>

#include "kernels/pool/pool_gpu.h"

namespace bindrt::gpu {
namespace {

using kernels::PoolSpan;

struct OutOfMemory final : std::bad_alloc {
  const char* what() const noexcept override { return "out of memory on the GPU"; }
};

// Calls `body`; what the driver says becomes what the pipeline understands.
template <class Body>
void translated(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.context_lost()) {
      throw pipeline::DeviceLost(error.what());
    }
    if (error.out_of_memory()) {
      throw OutOfMemory();
    }
    throw;
  }
}

// Whether the exception that is being handled says that memory did not suffice.
bool is_out_of_memory() {
  try {
    throw;
  } catch (const Error& error) {
    return error.out_of_memory();
  } catch (const std::bad_alloc&) {
    return true;
  } catch (...) {
    return false;
  }
}

std::size_t bytes_of(std::int64_t count, std::size_t each) { return static_cast<std::size_t>(count) * each; }

constexpr unsigned char kNanByte = 0xff;  // floats of such bytes are NaN

// So few that a GPU takes about as long for one: to fill them up costs little.
constexpr std::int64_t kFewRows = 8;

}  // namespace

std::vector<std::int64_t> graph_rows(std::int64_t most, std::int64_t item_rows) {
  const std::int64_t full = item_rows > most ? most : most - most % item_rows;
  std::vector<std::int64_t> found;
  for (std::int64_t rows = 1; rows < full && rows <= kFewRows; rows *= 2) {
    found.push_back(rows);
  }
  found.push_back(full);
  return found;
}

std::size_t device_bytes(const BatchSizes& sizes, std::size_t sets) {
  const std::size_t row =
      sizes.there(sizes.row_bytes) + kItemBytes + 2 * sizeof(float) * static_cast<std::size_t>(sizes.dim);
  return sets * bytes_of(sizes.rows, row);
}

BatchDevice::Set::Set(const Context& context, std::int64_t rows, const BatchSizes& sizes)
    : input(context, bytes_of(rows, sizes.there(sizes.row_bytes))),
      items(context, bytes_of(rows, kItemBytes)),
      output(context, bytes_of(rows * sizes.dim, sizeof(float))),
      vectors(context, bytes_of(rows * sizes.dim, sizeof(float))),
      copied_in(context),
      computed(context),
      copied_out(context) {}

BatchDevice::Flight::Flight(const Context& context, std::int64_t rows, std::int64_t dim)
    : items(context, bytes_of(rows, kItemBytes)),
      vectors(context, bytes_of(rows * dim, sizeof(float))),
      done(context, Event::Timing::kOff, Event::Waiting::kSleep) {}

BatchDevice::HostBuffers BatchDevice::Flight::host() const noexcept {
  return whole ? whole->host : HostBuffers{items.data(), reinterpret_cast<float*>(vectors.data())};
}

BatchDevice::BatchDevice(Context& context, const BatchSizes& sizes, const BatchDeviceOptions& options,
                         Enqueue enqueue)
    : context_(context),
      sizes_(sizes),
      options_(options),
      enqueue_(std::move(enqueue)),
      in_(context),
      compute_(context),
      out_(context),
      into_(context, std::make_unique<Stream>(context, in_.handle()),
            {options.scratch, kRowsQueue.tables, kRowsQueue.staged}),
      rooms_(std::make_shared<PinnedPool>(context, options.makes_rows ? kMostRoom : 0)),
      wholes_on_host_(std::make_shared<PinnedPool>(context, kMostWholeHere)),
      wholes_(std::make_shared<DevicePool>(context, options.whole)),
      graphs_(options.graphs) {
  const std::int32_t frames = PictureDecoder::frames_of(sizes.row_bytes);
  if (options.makes_rows && options.decode != nullptr && frames > 0) {
    pictures_ = std::make_unique<PictureDecoder>(context, frames, options.decode);
  }
  if (options.makes_rows && options.films.from >= 0) {
    films_ = std::make_unique<FilmDecoder>(context, static_cast<std::size_t>(sizes.row_bytes), options.films);
  }
}

BatchDevice::~BatchDevice() { settle(); }

std::byte* BatchDevice::allocate(std::size_t bytes) noexcept {
  void* memory = nullptr;
  const cu::Result result = context_.ask(&cu::Api::host_alloc, &memory, bytes, cu::kHostPortable);
  return result == cu::kSuccess ? static_cast<std::byte*>(memory) : nullptr;
}

void BatchDevice::free(std::byte* memory) noexcept {
  context_.ask(&cu::Api::host_free, static_cast<void*>(memory));
}

std::shared_ptr<std::byte> BatchDevice::room(std::size_t bytes) noexcept { return rooms_->take(bytes); }

bool BatchDevice::may_decode(kernels::PictureCoding coding, std::int64_t pixels) const noexcept {
  return pictures_ != nullptr && options_.decode_from.allows(coding, pixels);
}

pipeline::Device::Started BatchDevice::start(const pipeline::Batch& batch, std::int64_t limit) {
  const std::size_t before = into_.uploaded_bytes();
  std::int64_t most = limit;
  translated([&] {
    const Context::Current current(context_);
    if (sets_.empty()) {
      allocate_most();
    }
    if (batch.used > limit) {
      most = std::min(limit, rows_);
      run_in_pieces(batch, most);
    } else {
      run(batch, limit);
    }
    ++started_;
  });
  return {into_.uploaded_bytes() - before, (batch.used + most - 1) / most};
}

void BatchDevice::run(const pipeline::Batch& batch, std::int64_t limit) {
  if (batch.used > rows_) {
    throw OutOfMemory();
  }
  const auto run_filled = [this](const Filled& filled) {
    queue([&](std::size_t index, Flight& flight) {
      Set& set = *sets_[index];
      fill_items(filled, flight.host().items);
      copy_in(filled, set, set.buffers(), flight.host().items);
      compute(filled, index);
      copy_out(filled.batch, set, set.buffers(), flight);
    });
  };
  const Filled filled = fill_up(batch, limit);
  try {
    run_filled(filled);
  } catch (...) {
    if (filled.rows == batch.used || !is_out_of_memory()) {
      throw;
    }
    most_filled_ = filled.rows - 1;
    run_filled({batch, batch.used, false});  // its own rows may have room
  }
}

// What it throws leaves nothing queued.
void BatchDevice::queue(const std::function<void(std::size_t, Flight&)>& body) {
  const std::size_t index = started_ % options_.sets;
  Flight& flight = *flights_[started_ % depth()];
  flight.whole.reset();  // of a batch that is over
  try {
    body(index, flight);
  } catch (...) {
    const cu::Result left = settle();  // the caller may change the rows now
    if (is_context_lost(left)) {       // an engine that was refused for it may not say so
      context_.driver().fail("running a batch", left);
    }
    throw;
  }
}

const float* BatchDevice::wait() {
  Flight& flight = *flights_[waited_++ % depth()];
  translated([&flight] { flight.done.wait(); });
  flight.free_whole();
  return flight.host().vectors;
}

void BatchDevice::require() {
  translated([&] {
    if (const cu::Result left = settle(); is_context_lost(left)) {
      context_.driver().fail("running a batch", left);
    }
  });
}

// For all rows, or as many as there is memory for.
void BatchDevice::allocate_most() {
  for (std::int64_t rows = sizes_.rows;; rows /= 2) {
    try {
      allocate_for(rows);
      return;
    } catch (const Error& error) {
      if (!error.out_of_memory() || rows == 1) {
        throw;
      }
    }
  }
}

void BatchDevice::allocate_for(std::int64_t rows) {
  std::vector<std::unique_ptr<Set>> sets;
  std::vector<std::unique_ptr<Flight>> flights;
  while (sets.size() < options_.sets) {
    sets.push_back(std::make_unique<Set>(context_, rows, sizes_));
  }
  while (flights.size() < depth()) {
    flights.push_back(std::make_unique<Flight>(context_, rows, sizes_.dim));
  }
  sets_ = std::move(sets);
  flights_ = std::move(flights);
  rows_ = rows;
}

BatchDevice::Filled BatchDevice::fill_up(const pipeline::Batch& batch, std::int64_t limit) const {
  if (options_.graphs == 0) {
    return {batch, batch.used, false};
  }
  const auto lane = static_cast<std::size_t>(batch.lane);
  const std::int64_t item_rows = options_.item_rows.empty() ? 1 : options_.item_rows[lane];
  const auto queued = queueing_.find(alike(batch.lane));
  for (const std::int64_t rows : graph_rows(std::min(limit, rows_), item_rows)) {
    if (rows == batch.used) {
      return {batch, rows, true};
    }
    if (rows < batch.used || rows > most_filled_) {
      continue;
    }
    if (rows <= kFewRows || (queued != queueing_.end() &&
                             queued->second > graphs_.seconds_at_most(queued->first, batch.length, rows))) {
      return {batch, rows, true};
    }
  }
  return {batch, batch.used, false};
}

void BatchDevice::time_queueing(int lane, double seconds) {
  double& least = queueing_.try_emplace(alike(lane), seconds).first->second;
  least = std::min(1.05 * least, seconds);
}

// A span for each row, so that graphs depend on the number of rows alone: rows that no item begins with pool
// nothing.
void BatchDevice::fill_items(const Filled& filled, std::byte* items) {
  auto* const spans = reinterpret_cast<PoolSpan*>(items);
  auto* const weights = reinterpret_cast<float*>(spans + filled.rows);
  std::int64_t index = 0;
  for (const pipeline::Batch::Entry& entry : filled.batch.entries) {
    const pipeline::Request& request = *entry.request;
    const float* const given = request.weights.empty() ? nullptr : request.weights.data();
    spans[index++] = kernels::pool_span(entry.first, entry.rows, given, request.normalize);
    for (std::int64_t row = 0; row < entry.rows; ++row) {
      weights[entry.first + row] = given == nullptr ? 1.0F : given[row];
    }
  }
  for (; index < filled.rows; ++index) {
    spans[index] = {0, 0, 1.0};
  }
  std::fill(weights + filled.batch.used, weights + filled.rows, 0.0F);
}

void BatchDevice::store(std::uint64_t target, const float* vector, std::int64_t dim) {
  const std::size_t bytes = bytes_of(dim, sizeof(float));
  translated([&] {
    if (vector != nullptr) {
      context_.call("copying a vector to the GPU", &cu::Api::copy_to_device, cu::Pointer{target},
                    static_cast<const void*>(vector), bytes, out_.handle());
    } else {
      context_.call("clearing a vector on the GPU", &cu::Api::fill_bytes, cu::Pointer{target}, kNanByte,
                    bytes, out_.handle());
    }
    out_.wait();
  });
}

void BatchDevice::compute(const Filled& filled, std::size_t index) {
  Set& set = *sets_[index];
  compute_.wait_for(set.copied_in);
  compute_.wait_for(set.copied_out);
  const pipeline::Batch& batch = filled.batch;
  bool kept = filled.kept;
  const auto queue = [&](bool recording) {
    EngineWork work{batch.lane,           batch.length,      filled.rows, set.input.address(),
                    set.output.address(), compute_.handle(), kept,        recording};
    if (recording && !kept) {
      throw std::runtime_error("the engine keeps nothing for this graph");
    }
    try {
      enqueue_(work);
    } catch (...) {
      if (!kept || recording || !is_out_of_memory()) {
        throw;
      }
      work.kept = kept = false;  // it may have no memory for one thing more, and yet for the rows
      enqueue_(work);
    }
    pool(filled.rows, set.buffers());
  };
  if (filled.kept) {
    graphs_.run({alike(batch.lane), batch.length, filled.rows, index}, compute_, queue);
  } else {
    const auto begin = std::chrono::steady_clock::now();
    queue(false);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    time_queueing(batch.lane, taken.count());
  }
  set.computed.record(compute_);
  graphs_recorded_ = graphs_.counts().recorded;
  graphs_refused_ = graphs_.counts().refused;
  graphs_launched_ = graphs_.counts().launched;
}

void BatchDevice::pool(std::int64_t rows, const Buffers& buffers) {
  const auto* const spans = reinterpret_cast<const PoolSpan*>(buffers.items);
  kernels::PoolParams params{};
  params.views = reinterpret_cast<const float*>(buffers.output);
  params.weights = reinterpret_cast<const float*>(spans + rows);
  params.spans = spans;
  params.out = reinterpret_cast<void*>(buffers.vectors);
  params.dim = sizes_.dim;
  params.scale = 1.0;
  params.type = kernels::OutType::kFloat32;
  context_.launch(compute_.handle(), "bindrt_pool_views",
                  {.grid_x = static_cast<std::uint32_t>(rows), .block_x = kernels::kPoolThreads}, &params,
                  sizeof params);
}

void BatchDevice::copy_out(const pipeline::Batch& batch, Set& set, const Buffers& from, Flight& flight) {
  out_.wait_for(set.computed);
  const auto vectors = static_cast<std::int64_t>(batch.entries.size());
  context_.call("copying vectors from the GPU", &cu::Api::copy_to_host,
                static_cast<void*>(flight.host().vectors), from.vectors,
                bytes_of(vectors * sizes_.dim, sizeof(float)), out_.handle());
  copy_to_targets(batch, from.vectors);
  set.copied_out.record(out_);
  flight.done.record(out_);
}

// Vectors that are wanted on the device; those that become neighbours there go together.
void BatchDevice::copy_to_targets(const pipeline::Batch& batch, cu::Pointer vectors) {
  const std::size_t vector = bytes_of(sizes_.dim, sizeof(float));
  const std::size_t count = batch.entries.size();
  const auto target = [&batch](std::size_t i) { return batch.entries[i].request->target; };
  for (std::size_t from = 0, end = 0; from < count; from = end) {
    end = from + 1;
    if (target(from) == 0) {
      continue;
    }
    while (end < count && target(end) == target(from) + (end - from) * vector) {
      ++end;
    }
    context_.call("copying vectors on the GPU", &cu::Api::copy_on_device, cu::Pointer{target(from)},
                  vectors + from * vector, (end - from) * vector, out_.handle());
  }
}

cu::Result BatchDevice::settle() noexcept {
  cu::Result found = cu::kSuccess;
  for (const Stream* const stream : {&in_, &compute_, &out_}) {
    const cu::Result result = context_.ask(&cu::Api::stream_synchronize, stream->handle());
    found = is_context_lost(found) ? found : result;
  }
  return found;
}

GraphCache::Counts BatchDevice::graph_counts() const noexcept {
  return {graphs_recorded_.load(), graphs_refused_.load(), graphs_launched_.load()};
}

}  // namespace bindrt::gpu
