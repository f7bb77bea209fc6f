#include "csrc/python/arguments/map_arrays.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "csrc/python/arguments/arrays.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using kernels::MapType;

struct Kind {
  char kind;  // as NumPy names it
  py::ssize_t itemsize;
  MapType type;
};

constexpr std::array<Kind, 10> kKinds{{
    {'u', 1, MapType::kUint8},
    {'i', 1, MapType::kInt8},
    {'u', 2, MapType::kUint16},
    {'i', 2, MapType::kInt16},
    {'u', 4, MapType::kUint32},
    {'i', 4, MapType::kInt32},
    {'u', 8, MapType::kUint64},
    {'i', 8, MapType::kInt64},
    {'f', 4, MapType::kFloat32},
    {'f', 8, MapType::kFloat64},
}};

MapType type_of(const py::array& array) {
  const py::dtype dtype = array.dtype();
  for (const Kind& known : kKinds) {
    if (dtype.kind() == known.kind && dtype.itemsize() == known.itemsize &&
        (dtype.byteorder() == '=' || dtype.byteorder() == '|')) {
      return known.type;
    }
  }
  throw py::value_error("the map has dtype " + py::str(dtype).cast<std::string>() +
                        "; it must hold integers, float32 or float64 of this machine's byte order");
}

}  // namespace

kernels::Map read_map(const py::object& object) {
  if (!py::isinstance<py::array>(object)) {
    throw py::value_error(std::string("the map is a ") + Py_TYPE(object.ptr())->tp_name +
                          "; pass a NumPy array");
  }
  const auto array = py::reinterpret_borrow<py::array>(object);
  const MapType type = type_of(array);
  constexpr py::ssize_t kMost = std::numeric_limits<std::int32_t>::max();
  if (array.ndim() != 2 || array.size() == 0 || array.shape(0) > kMost || array.shape(1) > kMost) {
    throw py::value_error("the map has shape " + shape_text(array) + "; it must be (H, W) and not empty");
  }
  const py::ssize_t size = array.itemsize();
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(array.data()) % static_cast<std::uintptr_t>(size) == 0;
  const bool adjacent = array.shape(1) == 1 || array.strides(1) == size;
  const py::ssize_t stride = array.shape(0) == 1 ? 0 : array.strides(0);
  if (!aligned || !adjacent || stride % size != 0) {
    throw py::value_error(
        "the rows of the map are not adjacent and aligned; pass numpy.ascontiguousarray(map)");
  }
  return {array.data(), type, static_cast<std::int32_t>(array.shape(1)),
          static_cast<std::int32_t>(array.shape(0)), stride};
}

void require_apart(const kernels::Map& map, const py::array& out) {
  const auto* const first = static_cast<const char*>(map.pixels);
  const auto* const last = first + (map.height - 1) * map.row_stride;
  std::int64_t width = 0;
  kernels::with_map_row(map, 0, [&](const auto* row) { width = std::int64_t{map.width} * sizeof(*row); });
  const auto begin = reinterpret_cast<std::uintptr_t>(std::min(first, last));
  const auto end = reinterpret_cast<std::uintptr_t>(std::max(first, last) + width);
  const auto out_begin = reinterpret_cast<std::uintptr_t>(out.data());
  if (begin < out_begin + static_cast<std::uintptr_t>(out.nbytes()) && out_begin < end) {
    throw py::value_error("out shares memory with the map");
  }
}

}  // namespace bindrt
