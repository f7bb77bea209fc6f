// Requests for the items of a bulk: many under one lock, without an object of Python's for each.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <optional>

#include "csrc/python/pipeline/bulk.h"
#include "csrc/python/pipeline/calls.h"

namespace bindrt {

using Ids = pybind11::array_t<std::int64_t, pybind11::array::c_style>;

struct BulkOptions {
  int lane;
  int priority;
  std::uint64_t caller;
  std::optional<double> deadline;  // seconds
  bool normalize;
  bool here;  // this thread prepares and runs them, as far as it can
};

// The items from `first` on: how many the queue had room for. `ids` [count, view] and `lengths` [count], if
// there are any, are input that is ready; an item of length 0 is prepared.
std::int64_t submit_items(const pybind11::object& pipeline, pipeline::Pipeline& core,
                          const PythonCalls& calls, const std::shared_ptr<Bulk>& bulk, std::int64_t first,
                          std::int64_t count, const BulkOptions& options, const std::optional<Ids>& ids,
                          const std::optional<Ids>& lengths);

// Items whose input is ready, as a batch of its own: counts[i] rows of indexes[i], one after the other in
// `rows`, which has numbers of rows of `ids` [N, any]; `length` columns of them count.
void submit_ids(const pybind11::object& pipeline, pipeline::Pipeline& core, const PythonCalls& calls,
                const std::shared_ptr<Bulk>& bulk, const Ids& ids, const Ids& rows, std::int64_t length,
                const Ids& indexes, const Ids& counts, const BulkOptions& options);

// Throws what Python knows as a pipeline that was closed.
void require_open(pipeline::Submitted answer);

void bind_bulk(pybind11::module_& module);

}  // namespace bindrt
