// Makes the GPU of a pipeline from Python's options.
#include "csrc/python/pipeline/device.h"

#include <algorithm>
#include <string>
#include <utility>

#include "csrc/gpu/process.h"
#include "csrc/python/gil.h"
#include "csrc/python/pipeline/decoding.h"

namespace py = pybind11;

namespace bindrt {
namespace {

gpu::BatchSizes sizes_of(const py::dict& gpu, const std::vector<pipeline::LaneOptions>& lanes) {
  gpu::BatchSizes sizes;
  for (const pipeline::LaneOptions& lane : lanes) {
    sizes.rows = std::max(sizes.rows, lane.max_batch);
    sizes.row_bytes = std::max(sizes.row_bytes, lane.classes.back().row_bytes);
    sizes.dim = lane.dim;
  }
  const std::string input = gpu.contains("input") ? gpu["input"].cast<std::string>() : "float32";
  if (input != "float32" && input != "float16") {
    throw py::value_error("input is '" + input + "'; it is float32 or float16");
  }
  sizes.input = input == "float16" ? kernels::OutType::kFloat16 : kernels::OutType::kFloat32;
  return sizes;
}

}  // namespace

DeviceParts parts_of(const py::dict& gpu) {
  const auto is_set = [&gpu](const char* name) { return gpu.contains(name) && gpu[name].cast<bool>(); };
  return {is_set("makes_rows"), is_set("decodes_all")};
}

std::shared_ptr<gpu::BatchDevice> batch_device(const py::dict& gpu,
                                               const std::vector<pipeline::LaneOptions>& lanes,
                                               std::shared_ptr<PythonCalls> calls) {
  const gpu::BatchSizes sizes = sizes_of(gpu, lanes);
  gpu::BatchDeviceOptions options;
  options.sets = gpu["sets"].cast<std::size_t>();
  options.graphs = gpu["graphs"].cast<std::size_t>();
  options.makes_rows = parts_of(gpu).makes_rows;
  if (gpu.contains("scratch")) {
    options.scratch = gpu["scratch"].cast<std::size_t>();
  }
  if (gpu.contains("whole")) {
    options.whole = gpu["whole"].cast<std::size_t>();
  }
  if (gpu.contains("decode")) {
    options.decode = decode_pictures(gpu["decode"]);
    options.decode_from = decode_from(gpu["decode_from"].cast<py::dict>());
  }
  if (gpu.contains("films_from")) {
    options.films = {gpu["films_from"].cast<std::int64_t>(), parts_of(gpu).decodes_all};
  }
  options.alike = calls->alike();
  for (const pipeline::LaneOptions& lane : lanes) {
    options.item_rows.push_back(lane.item_rows);
  }
  const int index = gpu["device"].cast<int>();
  const WithoutGil release;
  return std::make_shared<gpu::BatchDevice>(
      gpu::process_context(index), sizes, options,
      [calls = std::move(calls)](const gpu::EngineWork& work) { calls->enqueue(work); });
}

}  // namespace bindrt
