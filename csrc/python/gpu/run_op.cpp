// Runs ops on a GPU over host arrays, with their times.
#include "csrc/python/gpu/run_op.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/map.h"
#include "csrc/python/gil.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

std::vector<double> run_rounds(StreamQueue& queue, int rounds, const Work& work) {
  std::vector<double> seconds;
  const bool simulated = queue.context().driver().simulated();
  Event begin(queue.context(), Event::Timing::kOn);
  Event end(queue.context(), Event::Timing::kOn);
  const Arena::Mark inputs = queue.mark();
  for (int round = 0; round < rounds; ++round) {
    queue.rewind_to(inputs);
    begin.record(queue.stream());
    work();
    end.record(queue.stream());
    end.wait();
    seconds.push_back(simulated ? std::numeric_limits<double>::quiet_NaN()
                                : 1e-3 * static_cast<double>(end.milliseconds_since(begin)));
  }
  return seconds;
}

}  // namespace

py::array_t<double> run_op(int device, int rounds, const std::vector<py::array>& outputs,
                           const Prepare& prepare) {
  if (rounds < 1 || rounds > 10000) {
    throw py::value_error("rounds is " + std::to_string(rounds) + "; it must be 1 to 10000");
  }
  std::vector<void*> results;
  std::vector<std::size_t> bytes;
  for (py::array output : outputs) {
    results.push_back(output.mutable_data());
    bytes.push_back(static_cast<std::size_t>(output.nbytes()));
  }
  std::vector<double> seconds;
  {
    const WithoutGil release;
    const BorrowedQueue queue(device);
    std::vector<void*> made;
    for (const std::size_t size : bytes) {
      made.push_back(queue->scratch(size));
    }
    seconds = run_rounds(*queue, rounds, prepare(*queue, made));
    for (std::size_t i = 0; i < made.size(); ++i) {
      queue->download(results[i], made[i], bytes[i]);
    }
    queue->wait();
  }
  return py::array_t<double>(static_cast<py::ssize_t>(seconds.size()), seconds.data());
}

const void* rows_to_device(StreamQueue& queue, const void* first, std::int64_t row_bytes, std::int64_t rows,
                           std::int64_t stride) {
  const auto* const top = static_cast<const char*>(first);
  const char* const bottom = top + (rows - 1) * stride;
  const char* const begin = std::min(top, bottom);
  const auto bytes = static_cast<std::size_t>(std::max(top, bottom) + row_bytes - begin);
  return kernels::to_device(queue, begin, bytes) + (top - begin);
}

std::vector<kernels::Map> read_maps(const py::sequence& objects) {
  std::vector<kernels::Map> maps;
  for (const py::handle& object : objects) {
    maps.push_back(read_map(py::reinterpret_borrow<py::object>(object)));
  }
  return maps;
}

std::vector<kernels::Map> maps_to_device(StreamQueue& queue, const std::vector<kernels::Map>& maps) {
  std::vector<kernels::Map> moved = maps;
  for (kernels::Map& map : moved) {
    std::int64_t row_bytes = 0;
    kernels::with_map_row(map, 0,
                          [&](const auto* row) { row_bytes = std::int64_t{map.width} * sizeof(*row); });
    map.pixels = rows_to_device(queue, map.pixels, row_bytes, map.height, map.row_stride);
  }
  return moved;
}

py::array batch_array(bool half, const std::vector<py::ssize_t>& shape) {
  return output_array(py::none(), input_dtype(half), shape);
}

}  // namespace bindrt::gpu
