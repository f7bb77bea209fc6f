// A batch through the engine: halved when memory runs out, split to find the items that make it fail.

#include <algorithm>
#include <exception>
#include <new>

#include "csrc/pipeline/engine.h"

namespace bindrt::pipeline {
namespace {

EngineResult call_engine(Engine& engine, const EngineCall& call) noexcept {
  using Status = EngineResult::Status;
  try {
    EngineResult result = engine.run(call);
    if (result.status != Status::kOk && result.failure == nullptr) {
      result.failure = make_failure("the engine failed");
    }
    return result;
  } catch (const std::bad_alloc&) {
    return {Status::kOutOfMemory, make_failure("out of memory")};
  } catch (const std::exception& error) {
    return {Status::kFailed, make_failure(error.what())};
  } catch (...) {
    return {Status::kFailed, make_failure("the engine failed")};
  }
}

struct Runner {
  Engine& engine;
  Batch& batch;
  std::int64_t dim;
  std::int64_t& limit;
  RunCounts counts{};

  // Rows [first, end), or the failure that stopped it.
  FailurePtr rows(std::int64_t first, std::int64_t end) {
    while (first < end) {
      const std::int64_t count = std::min(limit, end - first);
      ++counts.calls;
      const EngineResult result =
          call_engine(engine, {batch.lane, batch.length, batch.input() + first * batch.row_bytes, count,
                               batch.output.data() + first * dim});
      if (result.status == EngineResult::Status::kOutOfMemory && count > 1) {
        limit = count / 2;
        ++counts.halvings;
        continue;
      }
      if (result.status != EngineResult::Status::kOk) {
        return result.failure;
      }
      first += count;
    }
    return nullptr;
  }

  void entries(std::size_t first, std::size_t end) {
    const Batch::Entry& last = batch.entries[end - 1];
    const FailurePtr failure = rows(batch.entries[first].first, last.first + last.rows);
    if (failure == nullptr) {
      return;
    }
    if (end - first == 1) {
      batch.entries[first].failure = failure;
      return;
    }
    ++counts.splits;
    const std::size_t middle = first + (end - first) / 2;
    entries(first, middle);
    entries(middle, end);
  }
};

}  // namespace

RunCounts run_batch(Engine& engine, Batch& batch, std::int64_t dim, std::int64_t& limit) {
  Runner runner{engine, batch, dim, limit};
  if (!batch.entries.empty()) {
    runner.entries(0, batch.entries.size());
  }
  return runner.counts;
}

}  // namespace bindrt::pipeline
