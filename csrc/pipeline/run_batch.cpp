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
  const std::function<FailurePtr()>& lost;
  FailurePtr end = nullptr;  // once no call can succeed
  RunCounts counts{};

  // Rows [first, end), or the failure that stopped it.
  FailurePtr rows(std::int64_t first, std::int64_t last) {
    while (first < last) {
      const std::int64_t count = std::min(limit, last - first);
      ++counts.calls;
      const EngineResult result =
          call_engine(engine, {batch.lane, batch.length, batch.input() + first * batch.row_bytes, count,
                               batch.output.data() + first * dim});
      if (result.status != EngineResult::Status::kOk && lost != nullptr && (end = lost()) != nullptr) {
        return end;
      }
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

  void entries(std::size_t first, std::size_t past) {
    const Batch::Entry& last = batch.entries[past - 1];
    const FailurePtr failure =
        end != nullptr ? end : rows(batch.entries[first].first, last.first + last.rows);
    if (failure == nullptr) {
      return;
    }
    if (end != nullptr || past - first == 1) {
      for (std::size_t i = first; i < past; ++i) {
        batch.entries[i].failure = failure;
      }
      return;
    }
    ++counts.splits;
    const std::size_t middle = first + (past - first) / 2;
    entries(first, middle);
    entries(middle, past);
  }
};

}  // namespace

RunCounts run_batch(Engine& engine, Batch& batch, std::int64_t dim, std::int64_t& limit,
                    const std::function<FailurePtr()>& lost) {
  Runner runner{engine, batch, dim, limit, lost};
  if (!batch.entries.empty()) {
    runner.entries(0, batch.entries.size());
  }
  return runner.counts;
}

}  // namespace bindrt::pipeline
