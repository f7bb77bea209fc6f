// The door to the native engine's encoders.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "csrc/native/packed_file.h"
#include "csrc/native/team.h"
#include "csrc/python/arguments/arrays.h"
#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/python/native/numbers.h"
#include "csrc/python/native/tensors.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using native::PackedFile;

class PythonEncoder {
 public:
  PythonEncoder(const py::dict& config, const std::vector<std::string>& files, const py::list& tensors,
                const std::string& numbers, const std::string& store, const std::string& key, int threads)
      : config_(read_config(config)), tensors_(std::make_unique<BundleTensors>(files, tensors)) {
    require_threads(threads);
    const native::Numbers computed = numbers_of(numbers);
    const WithoutGil release;
    try {
      make(PackedFile::open(store, key), computed, threads);
    } catch (const native::UnfitPackedFile&) {
      make(PackedFile::make(store, key), computed, threads);
    }
    // A table of tokens is read where it lies; of everything else the encoder has what it needs.
    if (config_.reads_tokens()) {
      tensors_->release();
    } else {
      tensors_.reset();
    }
  }

  void run(const py::object& inputs_object, const py::object& out_object, int priority) const {
    const py::array inputs = require_array(inputs_object, "inputs");
    py::array out = require_float32(out_object, "out", 2);
    require_writeable(out);
    require_inputs(inputs);
    require_apart(out, inputs, "inputs");
    if (out.shape(0) != inputs.shape(0) || out.shape(1) != encoder_->out()) {
      throw py::value_error("out has shape " + shape_text(out) + ", not (" + std::to_string(inputs.shape(0)) +
                            ", " + std::to_string(encoder_->out()) + ")");
    }
    if (!packed_->intact()) {
      throw std::runtime_error("the file of packed weights was cut while it was in use");
    }
    const void* const from = inputs.data();
    auto* const to = static_cast<float*>(out.mutable_data());
    const std::int64_t rows = inputs.shape(0);
    const std::int64_t length = config_.reads_tokens() ? inputs.shape(1) : 0;
    const WithoutGil release;
    encoder_->run(from, rows, length, to, priority);
  }

  std::int64_t out() const { return encoder_->out(); }
  bool found() const { return found_; }
  std::int64_t packed_bytes() const { return packed_->bytes(); }
  const std::string& problem() const { return packed_->problem(); }

 private:
  static native::EncoderConfig read_config(const py::dict& given) {
    native::EncoderConfig config;
    config.heads = given["heads"].cast<std::int64_t>();
    config.eps = given["eps"].cast<float>();
    config.stem_eps = given["stem_eps"].cast<float>();
    config.scale = given["scale"].cast<float>();
    config.view = given["view"].cast<std::vector<std::int64_t>>();
    config.kernel = given["kernel"].cast<std::vector<std::int64_t>>();
    config.stride = given["stride"].cast<std::vector<std::int64_t>>();
    return config;
  }

  void make(std::shared_ptr<PackedFile> packed, native::Numbers numbers, int threads) {
    found_ = packed->filled();
    packed_ = std::move(packed);
    encoder_ = native::Encoder::make(config_, tensors_->tensors(), numbers, packed_, threads);
    packed_->keep();
  }

  void require_inputs(const py::array& inputs) const {
    const bool tokens = config_.reads_tokens();
    const py::dtype wanted = tokens ? py::dtype::of<std::int64_t>() : py::dtype::of<float>();
    if (!inputs.dtype().is(wanted) && !inputs.dtype().equal(wanted)) {
      throw py::value_error("inputs are " + dtype_text(inputs) + ", not " + (tokens ? "int64" : "float32"));
    }
    if (!is_contiguous(inputs) || !is_aligned(inputs)) {
      throw py::value_error("inputs must be C-contiguous and aligned");
    }
    const auto axes = static_cast<std::size_t>(inputs.ndim());
    bool fits = axes == (tokens ? 1 : config_.view.size()) + 1 && inputs.shape(0) > 0;
    for (std::size_t i = 1; fits && !tokens && i < axes; ++i) {
      fits = inputs.shape(static_cast<py::ssize_t>(i)) == config_.view[i - 1];
    }
    if (!fits) {
      throw py::value_error("inputs of shape " + shape_text(inputs) + " do not fit the encoder");
    }
  }

  const native::EncoderConfig config_;
  std::unique_ptr<BundleTensors> tensors_;
  std::shared_ptr<PackedFile> packed_;
  std::unique_ptr<native::Encoder> encoder_;
  bool found_ = false;
};

}  // namespace

void bind_native_encoder(py::module_& module) {
  py::class_<PythonEncoder>(module, "NativeEncoder", py::is_final(),
                            py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                            R"(An encoder of the native engine.

config: heads, eps, stem_eps, scale, view, kernel, stride. files: paths. tensors: (name, type, shape, file,
offset) with an index of files, or (name, type, shape, None, bytes). numbers: float32, bf16 or int8.
store: path of the file of packed weights, "" for memory; key: 64 characters, of all that the weights depend on.
Raises ValueError for tensors that do not fit, OSError for a file that cannot be mapped, MemoryError.)")
      .def(py::init<const py::dict&, const std::vector<std::string>&, const py::list&, const std::string&,
                    const std::string&, const std::string&, int>(),
           py::arg("config"), py::arg("files"), py::arg("tensors"), py::arg("numbers"), py::arg("store"),
           py::arg("key"), py::arg("threads"))
      .def("run", &PythonEncoder::run, py::arg("inputs"), py::arg("out"), py::arg("priority") = 0,
           R"(Embed a batch: inputs float32 [B, view] or int64 [B, T], out float32 [B, out].

Calls of higher priority go first. Raises ValueError for what does not fit, RuntimeError if the packed weights
were cut, MemoryError.)")
      .def_property_readonly("out", &PythonEncoder::out, "Length of a vector.")
      .def_property_readonly("found", &PythonEncoder::found, "Whether the packed weights were there already.")
      .def_property_readonly("packed_bytes", &PythonEncoder::packed_bytes, "Bytes of the packed weights.")
      .def_property_readonly("problem", &PythonEncoder::problem,
                             "Why the packed weights are in memory of this process alone; empty if not.");
}

}  // namespace bindrt
