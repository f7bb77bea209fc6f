// The driver, its devices, and the kernels that this build has for them.
#include <pybind11/stl.h>

#include <charconv>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "csrc/gpu/batch_device.h"
#include "csrc/gpu/process.h"
#include "csrc/python/arguments/arrays.h"
#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/python/gpu/bindings.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

py::str text(std::string_view view) { return {view.data(), view.size()}; }

py::list kernel_names() {
  py::list names;
  for (const KernelName& entry : embedded_kernels().kernels) {
    names.append(text(entry.kernel));
  }
  return names;
}

std::string problem() {
  if (embedded_kernels().images.empty()) {
    return "this build of bindrt has no GPU kernels";
  }
  return Driver::instance().problem();
}

py::dict driver() {
  const Driver& found = Driver::instance();
  py::dict info;
  info["path"] = found.path();
  info["usable"] = found.usable();
  info["problem"] = found.problem();
  info["version"] = found.version();
  info["simulated"] = found.simulated();
  return info;
}

py::list devices() {
  const Driver& found = Driver::instance();
  py::list all;
  for (int index = 0; index < found.device_count(); ++index) {
    const DeviceInfo device = device_info(found, index);
    py::dict info;
    info["index"] = device.index;
    info["name"] = device.name;
    info["capability"] = capability_text(device.capability);
    info["memory"] = device.memory;
    info["multiprocessors"] = device.multiprocessors;
    info["integrated"] = device.integrated;
    info["bandwidth"] = device.bandwidth;
    all.append(info);
  }
  return all;
}

// Which of the kernels' images a device of a capability, "8.9", would run.
std::string target(const std::string& capability) {
  const std::size_t dot = capability.find('.');
  int major = 0;
  int minor = 0;
  const auto number = [&capability](std::size_t begin, std::size_t end, int& value) {
    const auto [stop, problem] = std::from_chars(capability.data() + begin, capability.data() + end, value);
    return problem == std::errc() && stop == capability.data() + end;
  };
  if (dot == std::string::npos || !number(0, dot, major) || !number(dot + 1, capability.size(), minor) ||
      major < 0 || major > 1000 || minor < 0 || minor > 9) {
    throw py::value_error("'" + capability + "' is not a compute capability, which is for example 8.9");
  }
  const KernelSet& kernels = embedded_kernels();
  if (kernels.kernels.empty()) {
    return "";
  }
  const std::vector<const Image*> images =
      candidates(kernels, kernels.kernels.front().module, 10 * major + minor);
  return images.empty() ? "" : target_text(*images.front());
}

py::list load_kernels(int device) {
  {
    const WithoutGil release;
    process_context(device).load_all();
  }
  return kernel_names();
}

using Bytes = py::array_t<std::uint8_t, py::array::c_style>;

Bytes round_trip(const Bytes& data, int device) {
  if (data.ndim() != 1) {
    throw py::value_error("data has shape " + shape_text(data) + "; it must have 1 dimension");
  }
  Bytes result(data.shape(0));
  const std::uint8_t* const source = data.data();
  std::uint8_t* const target = result.mutable_data();
  const auto bytes = static_cast<std::size_t>(data.nbytes());
  {
    const WithoutGil release;
    const BorrowedQueue queue(device);
    queue->download(target, kernels::to_device(*queue, source, bytes), bytes);
    queue->wait();
  }
  return result;
}

py::dict memory_limits() {
  py::dict found;
  found["block"] = Arena::kFirstBlock;
  found["room"] = kMostRoom;
  found["item_room"] = pipeline::kLittleRoom;
  found["pooled"] = kItemBytes;
  found["tables"] = kRowsQueue.tables;
  found["staged"] = kRowsQueue.staged;
  found["whole"] = kMostWhole;
  found["whole_here"] = kMostWholeHere;
  found["pictures"] = PictureDecoder::kMostBytes;
  found["pictures_staged"] = PictureDecoder::kGroups * PictureDecoder::kQueue.staged;
  found["films"] = FilmDecoder::kMostBytes;
  found["films_staged"] = FilmDecoder::kMostFilms * FilmDecoder::kQueue.staged;
  return found;
}

}  // namespace

void bind_driver(py::module_& module) {
  module.def(
      "available", [] { return problem().empty(); }, "Whether kernels, driver and a device are there.");
  module.def("problem", &problem, "Why not; empty if they are.");
  module.def("driver", &driver,
             "The driver's library: path, whether it is usable, version, whether simulated.");
  module.def("devices", &devices, "The devices; an empty list where there is no driver.");
  module.def("target", &target, py::arg("capability"),
             "Which of the kernels' images a device of that capability runs; empty if none.");
  module.def("graph_rows", &graph_rows, py::arg("most"), py::arg("item_rows") = 1,
             "The numbers of rows that graphs are kept for, in batches of at most `most`.");
  module.def(
      "batch_device_bytes",
      [](std::int64_t rows, std::int64_t row_bytes, std::int64_t dim, std::size_t sets) {
        return device_bytes({rows, row_bytes, dim}, sets);
      },
      py::arg("rows"), py::arg("row_bytes"), py::arg("dim"), py::arg("sets"),
      "Bytes of the device's memory that a pipeline's batches take there.");
  module.def(
      "batch_whole_bytes",
      [](std::int64_t rows, std::int64_t row_bytes, std::int64_t dim) {
        return whole_bytes({rows, row_bytes, dim});
      },
      py::arg("rows"), py::arg("row_bytes"), py::arg("dim"),
      "Bytes of the device's memory that a batch takes there which runs in pieces.");
  module.def("memory_limits", &memory_limits,
             "Bytes that parts of a pipeline on a device take at most; memory.py says which.");
  module.def(
      "memory_free", [](int device) { return process_context(device).memory_free(); }, py::arg("device"),
      "Bytes of the device's memory that are free, of all processes.", py::call_guard<WithoutGil>());
  module.def("load_kernels", &load_kernels, py::arg("device") = 0,
             "Load every kernel of this build on a device; returns their names.");
  module.def("round_trip", &round_trip, py::arg("data").noconvert(), py::arg("device") = 0,
             "A copy of an array of uint8 that went to the device and back.");
}

}  // namespace bindrt::gpu

namespace bindrt {

py::object gpu_kernels() {
  using namespace gpu;
  const KernelSet& kernels = embedded_kernels();
  if (kernels.images.empty()) {
    return py::none();
  }
  std::set<std::pair<ImageKind, int>> images;
  std::size_t bytes = 0;
  for (const Image& image : kernels.images) {
    images.emplace(image.kind, image.architecture);
    bytes += image.bytes.size();
  }
  py::list targets;
  for (const auto& [kind, architecture] : images) {
    targets.append(target_text({"", kind, architecture, {}}));
  }
  py::dict info;
  info["compiler"] = text(kernels.compiler);
  info["targets"] = targets;
  info["bytes"] = bytes;
  info["kernels"] = kernel_names();
  return info;
}

}  // namespace bindrt
