// Arrays over blocks of live::Memory, for Python.
#include "csrc/python/live/blocks.h"

#include <pybind11/stl.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "csrc/python/bindings.h"

namespace py = pybind11;

namespace bindrt {
namespace {

class Arrays {
 public:
  explicit Arrays(std::size_t most_bytes) : memory_(live::Memory::make(most_bytes)) {}

  py::array make(const std::vector<py::ssize_t>& shape) const {
    std::size_t count = 1;
    for (const py::ssize_t each : shape) {
      if (each < 0 || (each > 0 && count > PTRDIFF_MAX / sizeof(float) / static_cast<std::size_t>(each))) {
        throw py::value_error("there is no array of this shape");
      }
      count *= static_cast<std::size_t>(each);
    }
    live::Block block = memory_->take(count * sizeof(float));
    const std::byte* const data = block.data();
    return array_over(owner_of(std::move(block)), py::dtype::of<float>(), shape, data);
  }

 private:
  std::shared_ptr<live::Memory> memory_;
};

}  // namespace

py::object owner_of(live::Block block) {
  auto held = std::make_unique<live::Block>(std::move(block));
  py::capsule owner(held.get(), [](void* each) { delete static_cast<live::Block*>(each); });
  held.release();
  return owner;
}

py::array array_over(const py::object& owner, const py::dtype& dtype, std::vector<py::ssize_t> shape,
                     const std::byte* data) {
  return {dtype, std::move(shape), {}, data, owner};
}

void bind_arrays(py::module_& module) {
  py::class_<Arrays>(module, "Arrays", py::is_final(),
                     py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                     R"(Makes float32 arrays in memory that is used again when an array is gone.

Fresh memory comes from the system page by page, which takes longer than to fill it. At most most_bytes that
nobody uses are kept.)")
      .def(py::init<std::size_t>(), py::arg("most_bytes"))
      .def("make", &Arrays::make, py::arg("shape"), "An array of any contents.");
}

}  // namespace bindrt
