// Making the requests of a bulk, and handing them in.

#include "csrc/python/pipeline/bulk_requests.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>

#include "csrc/python/gil.h"
#include "csrc/python/pipeline/clock.h"

namespace py = pybind11;

namespace bindrt {

using namespace pipeline;

namespace {

void require_target(const Bulk& bulk, const PythonCalls& calls) {
  if (bulk.target(0) != 0 && !calls.has_device()) {
    throw py::value_error("vectors on a device need a pipeline that has one");
  }
}

RequestPtr request_of(const std::shared_ptr<Bulk>& bulk, std::int64_t index, const BulkOptions& options) {
  if (index < 0 || index >= bulk->size()) {
    throw py::value_error("there is no such item");
  }
  auto tag = std::make_shared<PythonTag>();
  tag->bulk = bulk;
  tag->index = index;
  auto request = std::make_shared<Request>();
  request->lane = options.lane;
  request->priority = options.priority;
  request->caller = options.caller;
  request->normalize = options.normalize;
  request->target = bulk->target(index);
  request->patient = true;
  request->by_submitter = options.here;
  if (options.deadline) {
    request->deadline = after(*options.deadline);
  }
  request->tag = std::move(tag);
  return request;
}

// Without the GIL; a call that throws has submitted nothing.
template <class Call>
void hand_in(Bulk& bulk, Pipeline& core, std::span<const Bulk::Place> places, const Call& call) {
  std::vector<RequestPtr> requests;
  requests.reserve(places.size());
  for (const Bulk::Place& place : places) {
    requests.push_back(place.request);
  }
  bulk.expect(core, places);
  try {
    call(requests);
  } catch (...) {
    bulk.take_back(places);
    throw;
  }
}

std::vector<std::int64_t> columns_of(const Ids& ids, const Ids& rows, std::int64_t length) {
  if (ids.ndim() != 2 || length < 1 || length > ids.shape(1)) {
    throw py::value_error("ids are [N, length] or longer");
  }
  std::vector<std::int64_t> copied;
  copied.reserve(static_cast<std::size_t>(rows.size() * length));
  for (py::ssize_t i = 0; i < rows.size(); ++i) {
    const std::int64_t* const from = ids.data(rows.at(i), 0);  // throws if there is no such row
    copied.insert(copied.end(), from, from + length);
  }
  return copied;
}

bool wait_for_bulk(Bulk& bulk, double seconds, std::int64_t most) {
  const WithoutGil release;
  return bulk.wait(after(seconds), most);
}

void cancel_bulk(Bulk& bulk, std::int64_t index) {
  const WithoutGil release;
  bulk.cancel_after(index);
}

}  // namespace

void require_open(Submitted answer) {
  if (answer == Submitted::kClosed) {
    throw std::runtime_error("the pipeline is closed");
  }
}

std::int64_t submit_items(const py::object& self, Pipeline& core, const PythonCalls& calls,
                          const std::shared_ptr<Bulk>& bulk, std::int64_t first, std::int64_t count,
                          const BulkOptions& options, const std::optional<Ids>& ids,
                          const std::optional<Ids>& lengths) {
  count = std::min(count, bulk->size() - first);
  const bool fits =
      !ids || (lengths && ids->ndim() == 2 && ids->shape(0) >= count && lengths->size() >= count &&
               ids->shape(1) == calls.lane(options.lane).view.back());
  if (!fits) {
    throw py::value_error("each item has a row of ids, and their number");
  }
  if (count < 1) {
    return 0;
  }
  require_target(*bulk, calls);
  bulk->keep(self);
  const auto is_ready = [&](std::int64_t i) { return ids && lengths->at(i) > 0; };
  std::vector<std::optional<OrdinaryItem>> ordinary(static_cast<std::size_t>(count));
  std::vector<std::shared_ptr<const gpu::LentRows>> lent(ordinary.size());
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (is_ready(i)) {
      continue;
    }
    const py::object item = bulk->item(first + i);
    if ((lent[at] = calls.read_lent(options.lane, item)) == nullptr) {
      ordinary[at] = calls.read_ordinary(options.lane, item);
    }
  }
  std::vector<Bulk::Place> places;  // freed under the GIL, if they are not delivered
  Pipeline::Admitted admitted;
  {
    const WithoutGil release;
    places.reserve(ordinary.size());
    for (std::int64_t i = 0; i < count; ++i) {
      places.push_back({first + i, request_of(bulk, first + i, options)});
      Request& request = *places.back().request;
      auto& tag = *static_cast<PythonTag*>(request.tag.get());
      const auto at = static_cast<std::size_t>(i);
      tag.ordinary = std::move(ordinary[at]);
      if (lent[at] != nullptr) {
        request.ready = ready_on_device(std::move(lent[at]));
      } else if (is_ready(i)) {
        const std::int64_t* const row = ids->data(i, 0);
        tag.ids = std::make_shared<const std::vector<std::int64_t>>(row, row + ids->shape(1));
        request.ready = Ready{tag.ids->data(), 1, ids->strides(0), lengths->at(i)};
      }
    }
    hand_in(*bulk, core, places, [&](const std::vector<RequestPtr>& requests) {
      admitted = core.submit_all(requests);
      if (options.here) {
        core.run_here(options.caller);
      }
    });
    bulk->take_back(std::span(places).subspan(admitted.accepted));
  }
  raise_interrupt();
  require_open(admitted.accepted > 0 ? Submitted::kAccepted : admitted.answer);
  return static_cast<std::int64_t>(admitted.accepted);
}

void submit_ids(const py::object& self, Pipeline& core, const PythonCalls& calls,
                const std::shared_ptr<Bulk>& bulk, const Ids& ids, const Ids& rows, std::int64_t length,
                const Ids& indexes, const Ids& counts, const BulkOptions& options) {
  const std::span<const std::int64_t> of_each(counts.data(), static_cast<std::size_t>(counts.size()));
  if (of_each.empty() || indexes.size() != counts.size() || std::ranges::min(of_each) < 1 ||
      std::reduce(of_each.begin(), of_each.end()) != rows.size()) {
    throw py::value_error("each item has rows, and each row an item");
  }
  require_target(*bulk, calls);
  bulk->keep(self);
  Submitted answer = Submitted::kClosed;
  {
    const WithoutGil release;
    const auto copied = std::make_shared<const std::vector<std::int64_t>>(columns_of(ids, rows, length));
    std::vector<Bulk::Place> places;
    places.reserve(of_each.size());
    for (py::ssize_t i = 0; i < indexes.size(); ++i) {
      const RequestPtr request = request_of(bulk, indexes.at(i), options);
      static_cast<PythonTag*>(request->tag.get())->ids = copied;
      places.push_back({indexes.at(i), request});
    }
    hand_in(*bulk, core, places, [&](const std::vector<RequestPtr>& requests) {
      const Ready ready{copied->data(), rows.size(), length * std::int64_t{sizeof(std::int64_t)}, length};
      answer = core.submit_batch(requests, ready, of_each);
      if (options.here) {
        core.run_here(options.caller);
      }
    });
    if (answer == Submitted::kClosed) {
      bulk->take_back(places);
    }
  }
  raise_interrupt();
  require_open(answer);
}

void bind_bulk(py::module_& module) {
  const auto metaclass = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
  py::class_<Bulk, std::shared_ptr<Bulk>>(module, "Bulk", py::is_final(), metaclass,
                                          "Items that are answered together, in the rows of an array.")
      .def(py::init<py::list, py::array, py::object>(), py::arg("items"), py::arg("rows"),
           py::arg("target") = py::none())
      .def("open", &Bulk::open)
      .def("cancel_after", &cancel_bulk, py::arg("index"))
      .def("wait", &wait_for_bulk, py::arg("seconds"), py::arg("most"))
      .def("call_when", &Bulk::call_when, py::arg("most"), py::arg("wake"))
      .def("take_ended", &Bulk::take_ended)
      .def("take_notes", &Bulk::take_notes)
      .def("stages", &Bulk::stages);
  py::class_<BulkOptions>(module, "BulkOptions", py::is_final(), metaclass)
      .def(py::init<int, int, std::uint64_t, std::optional<double>, bool, bool>(), py::arg("lane"),
           py::arg("priority"), py::arg("caller"), py::arg("deadline"), py::arg("normalize"),
           py::arg("here"));
}

}  // namespace bindrt
