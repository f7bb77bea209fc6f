// Arrays on a device that go from one library to another: DLPack and __cuda_array_interface__.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "csrc/gpu/process.h"
#include "csrc/python/gil.h"
#include "csrc/python/gpu/bindings.h"
#include "csrc/python/gpu/dlpack.h"
#include "csrc/python/gpu/rows.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

// What a capsule of DLPack holds. The capsule is not taken: it frees its array when it goes itself.
py::dict read_dlpack(const py::object& capsule) {
  const dlpack::Tensor* tensor = nullptr;
  if (PyCapsule_IsValid(capsule.ptr(), dlpack::kNameVersioned) != 0) {
    const auto* const held = static_cast<const dlpack::ManagedVersioned*>(
        PyCapsule_GetPointer(capsule.ptr(), dlpack::kNameVersioned));
    if (held->version.major != 1) {
      throw py::value_error("it is in version " + std::to_string(held->version.major) + " of DLPack");
    }
    tensor = &held->tensor;
  } else if (PyCapsule_IsValid(capsule.ptr(), dlpack::kName) != 0) {
    tensor = &static_cast<const dlpack::Managed*>(PyCapsule_GetPointer(capsule.ptr(), dlpack::kName))->tensor;
  } else {
    throw py::value_error("it is not a capsule of DLPack, or was taken already");
  }
  const std::vector<std::int64_t> shape(tensor->shape, tensor->shape + tensor->ndim);
  py::dict found;
  found["address"] = reinterpret_cast<std::uintptr_t>(tensor->data) + tensor->byte_offset;
  found["device"] = py::make_tuple(tensor->device.type, tensor->device.number);
  found["shape"] = py::tuple(py::cast(shape));
  found["strides"] = py::none();
  if (tensor->strides != nullptr) {
    found["strides"] =
        py::tuple(py::cast(std::vector<std::int64_t>(tensor->strides, tensor->strides + tensor->ndim)));
  }
  found["dtype"] = py::make_tuple(int{tensor->dtype.code}, int{tensor->dtype.bits}, int{tensor->dtype.lanes});
  return found;
}

// A vector array as DLPack has it, with its memory.
template <class Managed>
struct Export {
  Managed managed{};
  std::array<std::int64_t, 2> shape{};
  std::array<std::int64_t, 2> strides{};
  std::shared_ptr<DeviceMemory> memory;

  static void destroy(Managed* managed) { delete static_cast<Export*>(managed->owner); }
};

template <class Managed>
py::object export_capsule(const char* name, int device, std::int64_t rows, std::int64_t dim,
                          std::shared_ptr<DeviceMemory> memory) {
  auto made = std::make_unique<Export<Managed>>();
  made->shape = {rows, dim};
  made->strides = {dim, 1};
  made->managed.owner = made.get();
  made->managed.deleter = &Export<Managed>::destroy;
  made->managed.tensor = {memory->data(),     {dlpack::kCuda, device}, 2, {dlpack::kFloat, 32, 1},
                          made->shape.data(), made->strides.data(),    0};
  made->memory = std::move(memory);
  if constexpr (std::is_same_v<Managed, dlpack::ManagedVersioned>) {
    made->managed.version = {1, 0};
  }
  PyObject* const capsule = PyCapsule_New(&made->managed, name, [](PyObject* ended) {
    for (const char* const each : {dlpack::kName, dlpack::kNameVersioned}) {
      if (PyCapsule_IsValid(ended, each) != 0) {  // nobody has taken it
        auto* const held = static_cast<Managed*>(PyCapsule_GetPointer(ended, each));
        held->deleter(held);
      }
    }
  });
  if (capsule == nullptr) {
    throw py::error_already_set();
  }
  static_cast<void>(made.release());  // the capsule has it
  return py::reinterpret_steal<py::object>(capsule);
}

// A mark in another library's stream.
std::shared_ptr<Event> mark(int device, std::uintptr_t stream) {
  Context& context = process_context(device);
  auto made = std::make_shared<Event>(context);
  made->record(Stream(context, reinterpret_cast<cu::Stream>(stream)));
  return made;
}

std::string place_text(int device, cu::Pointer address) {
  switch (process_context(device).place_of(address)) {
    case Context::Place::kHere:
      return "here";
    case Context::Place::kNowhere:
      return "nowhere";
    case Context::Place::kOtherDevice:
      return "other device";
    case Context::Place::kOtherContext:
      break;
  }
  return "other context";
}

// As NumPy names kinds of numbers.
std::optional<prepare::Array::Kind> kind_of(std::string_view name) {
  using Kind = prepare::Array::Kind;
  return name == "float"  ? std::optional(Kind::kFloat)
         : name == "int"  ? std::optional(Kind::kInt)
         : name == "uint" ? std::optional(Kind::kUint)
                          : std::nullopt;
}

PythonRows lend(int device, cu::Pointer address, std::int64_t rows, std::int64_t parts, std::int64_t copies,
                std::int64_t part_bytes, std::shared_ptr<Event> ready, py::object owner) {
  if (rows < 1 || parts < 1 || copies < 1 || part_bytes < 1) {
    throw py::value_error("rows, parts, copies and bytes are 1 or more");
  }
  const RowLayout layout{rows, parts, copies, part_bytes};
  auto memory = std::make_shared<const LentMemory>(
      process_context(device), address, static_cast<std::size_t>(layout.bytes()), std::move(ready));
  return {std::make_shared<const LentRows>(std::move(memory), layout), std::move(owner)};
}

PythonLent lend_array(int device, cu::Pointer address, std::vector<std::int64_t> shape, std::string dtype,
                      std::shared_ptr<Event> ready, py::object owner) {
  const std::size_t digits = dtype.find_first_of("0123456789");
  const auto kind = kind_of(std::string_view(dtype).substr(0, digits));
  if (!kind || digits == std::string::npos) {
    throw py::value_error("the dtype is float, int or uint, with its bits");
  }
  prepare::Array array;
  array.kind = *kind;
  array.bits = std::stoi(dtype.substr(digits));
  std::int64_t bytes = array.bits / 8;
  for (const std::int64_t length : shape) {
    if (length < 1 || __builtin_mul_overflow(bytes, length, &bytes)) {
      throw py::value_error("no memory is so large");
    }
  }
  array.lent = std::make_shared<const LentMemory>(process_context(device), address,
                                                  static_cast<std::size_t>(bytes), std::move(ready));
  array.data = array.lent->data();
  array.shape = std::move(shape);
  return {std::move(array), std::move(dtype), std::move(owner)};
}

std::string typestr_of(const prepare::Array& array) {
  const char kind = "fiu"[static_cast<int>(array.kind)];
  return std::string("<") + kind + std::to_string(array.bits / 8);
}

py::array copied_to_host(const PythonLent& self) {
  py::array here(py::dtype(typestr_of(self.array)), self.array.shape);
  void* const data = here.mutable_data();
  bool good = false;
  {
    const WithoutGil release;
    good = self.array.lent->read(data);
  }
  if (!good) {
    throw py::value_error("the GPU failed");
  }
  return here;
}

// So that Python, to which an unusual one is left, sees an array on a device.
py::dict interface_of(const PythonLent& self) {
  const prepare::Array& array = self.array;
  return py::dict(py::arg("shape") = py::tuple(py::cast(array.shape)), py::arg("typestr") = typestr_of(array),
                  py::arg("data") = py::make_tuple(reinterpret_cast<std::uintptr_t>(array.data), true),
                  py::arg("version") = 3);
}

py::object export_array(const DeviceArray& self, const py::object&, const py::object& max_version,
                        const py::object& dl_device, const py::object& copy) {
  const auto buffer_error = [](const char* what) {
    PyErr_SetString(PyExc_BufferError, what);
    throw py::error_already_set();
  };
  if (!dl_device.is_none() && !py::make_tuple(dlpack::kCuda, self.device()).equal(py::tuple(dl_device))) {
    buffer_error("the vectors are on another device; copy them there, or take embed's output from the host");
  }
  if (!copy.is_none() && copy.cast<bool>()) {
    buffer_error("no copy is made of the vectors; copy what you import");
  }
  const bool versioned = !max_version.is_none() && py::int_(max_version[py::int_(0)]).cast<int>() >= 1;
  return self.dlpack(versioned);
}

}  // namespace

DeviceArray::DeviceArray(int device, std::int64_t rows, std::int64_t dim)
    : device_(device), rows_(rows), dim_(dim) {
  if (rows < 0 || dim < 1) {
    throw refusal("vectors are [rows, dim]");
  }
  const auto bytes = static_cast<std::size_t>(rows * dim) * sizeof(float);
  memory_ = std::make_shared<DeviceMemory>(process_context(device), bytes);
  if (bytes > 0) {
    const BorrowedQueue queue(device);
    queue->fill(memory_->data(), 0xff, bytes);
    queue->wait();
  }
}

py::object DeviceArray::dlpack(bool versioned) const {
  return versioned
             ? export_capsule<dlpack::ManagedVersioned>(dlpack::kNameVersioned, device_, rows_, dim_, memory_)
             : export_capsule<dlpack::Managed>(dlpack::kName, device_, rows_, dim_, memory_);
}

py::dict DeviceArray::interface() const {
  return py::dict(py::arg("shape") = py::make_tuple(rows_, dim_), py::arg("typestr") = "<f4",
                  py::arg("data") = py::make_tuple(address(), false), py::arg("strides") = py::none(),
                  py::arg("stream") = py::none(), py::arg("version") = 3);
}

void bind_arrays(py::module_& module) {
  const auto metaclass = py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type));
  module.def("read_dlpack", &read_dlpack, py::arg("capsule"),
             "What a capsule holds: address, device, shape, strides, dtype. It stays the array's owner.");
  module.def("place", &place_text, py::arg("device"), py::arg("address"),
             "Where memory is: 'here', 'nowhere', 'other device' or 'other context'.",
             py::call_guard<WithoutGil>());
  module.def(
      "import_stream",
      [](int device) { return reinterpret_cast<std::uintptr_t>(import_stream(device).handle()); },
      py::arg("device"), "Handle of a stream that owners of arrays let wait for their work.");
  module.def(
      "synchronize", [](int device) { process_context(device).synchronize(); }, py::arg("device"),
      "Wait for all work of the device's context.", py::call_guard<WithoutGil>());
  py::class_<Event, std::shared_ptr<Event>>(module, "Mark", py::is_final(), metaclass,
                                            "A mark in a stream: passed once the work before it is done.")
      .def(py::init(&mark), py::arg("device"), py::arg("stream"), py::call_guard<WithoutGil>());
  py::class_<PythonRows>(module, "DeviceRows", py::is_final(), metaclass,
                         "Input that is on the device: rows of parts, each of which the batch has so often.")
      .def(py::init(&lend), py::arg("device"), py::arg("address"), py::arg("rows"), py::arg("parts"),
           py::arg("copies"), py::arg("part_bytes"), py::arg("ready"), py::arg("owner"));
  py::class_<PythonLent>(module, "LentArray", py::is_final(), metaclass,
                         "An array that is on the device, of which a preparer makes the input there.")
      .def(py::init(&lend_array), py::arg("device"), py::arg("address"), py::arg("shape"), py::arg("dtype"),
           py::arg("ready"), py::arg("owner"))
      .def_property_readonly("shape",
                             [](const PythonLent& self) { return py::tuple(py::cast(self.array.shape)); })
      .def_property_readonly("dtype", [](const PythonLent& self) { return self.dtype; })
      .def_property_readonly(
          "nbytes", [](const PythonLent& self) { return self.array.lent->bytes(); }, "Bytes of its numbers.")
      .def("to_host", &copied_to_host, "A copy on the host; waits until the array is written.")
      .def_property_readonly("__cuda_array_interface__", &interface_of);
  py::class_<DeviceArray, std::shared_ptr<DeviceArray>>(
      module, "DeviceArray", py::is_final(), metaclass,
      "Vectors in a GPU's memory, float32 [N, D], which are complete.\n\n"
      "Other libraries take it without a copy: torch.from_dlpack(it), cupy.from_dlpack(it),\n"
      "numba.cuda.as_cuda_array(it). It stays valid for as long as it or what was made of it.")
      .def(py::init<int, std::int64_t, std::int64_t>(), py::arg("device"), py::arg("rows"), py::arg("dim"),
           py::call_guard<WithoutGil>())
      .def_property_readonly("shape",
                             [](const DeviceArray& self) { return py::make_tuple(self.rows(), self.dim()); })
      .def_property_readonly(
          "device", [](const DeviceArray& self) { return self.device(); }, "The GPU's number.")
      .def("__len__", &DeviceArray::rows)
      .def("__repr__",
           [](const DeviceArray& self) {
             return "DeviceArray(float32 [" + std::to_string(self.rows()) + ", " +
                    std::to_string(self.dim()) + "], cuda:" + std::to_string(self.device()) + ")";
           })
      .def("__dlpack_device__",
           [](const DeviceArray& self) { return py::make_tuple(dlpack::kCuda, self.device()); })
      .def("__dlpack__", &export_array, py::kw_only(), py::arg("stream") = py::none(),
           py::arg("max_version") = py::none(), py::arg("dl_device") = py::none(),
           py::arg("copy") = py::none())
      .def_property_readonly("__cuda_array_interface__", &DeviceArray::interface);
}

}  // namespace bindrt::gpu
