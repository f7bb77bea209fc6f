// Rows of another library's array on a device, as Python holds them.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>

#include "csrc/gpu/lent_rows.h"
#include "csrc/gpu/memory.h"
#include "csrc/prepare/prepare.h"

namespace bindrt::gpu {

// What a request reads instead of rows of its batch.
struct PythonRows {
  std::shared_ptr<const LentRows> rows;
  pybind11::object owner;  // stays for as long as the rows are read
};

// What a preparer reads instead of an array of the host.
struct PythonLent {
  prepare::Array array;
  std::string dtype;
  pybind11::object owner;  // stays for as long as the array is read
};

// Vectors on a device, float32 [rows, dim], for other libraries: NaN until something is written there.
class DeviceArray {
 public:
  DeviceArray(int device, std::int64_t rows, std::int64_t dim);

  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t dim() const noexcept { return dim_; }
  int device() const noexcept { return device_; }
  cu::Pointer address() const noexcept { return memory_->address(); }

  // Called with the interpreter attached. What they give keeps the memory.
  pybind11::object dlpack(bool versioned) const;
  pybind11::dict interface() const;

 private:
  int device_;
  std::int64_t rows_, dim_;
  std::shared_ptr<DeviceMemory> memory_;
};

}  // namespace bindrt::gpu
