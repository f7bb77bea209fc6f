// Runs ops on a GPU over host arrays, with their times.
#include "csrc/python/gpu/run_op.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/arguments/map.h"
#include "csrc/python/gil.h"
#include "csrc/python/gpu/kernel_times.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

std::vector<double> run_rounds(NotingQueue& queue, int rounds, const Work& work) {
  std::vector<double> seconds;
  StreamQueue& on = queue.stream_queue();
  const bool simulated = on.context().driver().simulated();
  Event begin(on.context(), Event::Timing::kOn);
  Event end(on.context(), Event::Timing::kOn);
  const Arena::Mark inputs = on.mark();
  for (int round = 0; round < rounds; ++round) {
    on.rewind_to(inputs);
    queue.forget();
    begin.record(on.stream());
    work();
    end.record(on.stream());
    end.wait();
    seconds.push_back(simulated ? std::numeric_limits<double>::quiet_NaN()
                                : 1e-3 * static_cast<double>(end.milliseconds_since(begin)));
  }
  return seconds;
}

py::dict as_dict(const std::vector<double>& rounds, const std::vector<KernelTimes>& kernels) {
  const auto array = [](const std::vector<double>& values) {
    return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
  };
  py::dict by_name;
  for (const KernelTimes& kernel : kernels) {
    by_name[py::str(kernel.name)] = array(kernel.seconds);
  }
  py::dict times;
  times["rounds"] = array(rounds);
  times["kernels"] = by_name;
  return times;
}

}  // namespace

py::dict run_op(int device, int rounds, const std::vector<py::array>& outputs, const Prepare& prepare) {
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
  std::vector<KernelTimes> kernels;
  {
    const WithoutGil release;
    const BorrowedQueue queue(device);
    std::vector<void*> made;
    for (const std::size_t size : bytes) {
      made.push_back(queue->scratch(size));
    }
    NotingQueue noting(*queue);
    seconds = run_rounds(noting, rounds, prepare(noting, made));
    for (std::size_t i = 0; i < made.size(); ++i) {
      queue->download(results[i], made[i], bytes[i]);
    }
    queue->wait();
    kernels = time_kernels(noting, rounds);
  }
  return as_dict(seconds, kernels);
}

const void* rows_to_device(kernels::GpuQueue& queue, const void* first, std::int64_t row_bytes,
                           std::int64_t rows, std::int64_t stride) {
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

std::vector<kernels::Map> maps_to_device(kernels::GpuQueue& queue, const std::vector<kernels::Map>& maps) {
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
