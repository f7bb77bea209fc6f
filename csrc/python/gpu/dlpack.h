// DLPack's structures, as its public interface has them: how libraries hand arrays to each other.
#pragma once

#include <cstdint>

namespace bindrt::dlpack {

struct Device {
  std::int32_t type;
  std::int32_t number;
};
constexpr std::int32_t kCuda = 2;

struct DataType {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};
constexpr std::uint8_t kFloat = 2;

struct Tensor {
  void* data;
  Device device;
  std::int32_t ndim;
  DataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in numbers; null: C order
  std::uint64_t byte_offset;
};

struct Managed {
  Tensor tensor;
  void* owner;
  void (*deleter)(Managed*);
};

struct Version {
  std::uint32_t major;
  std::uint32_t minor;
};

struct ManagedVersioned {
  Version version;
  void* owner;
  void (*deleter)(ManagedVersioned*);
  std::uint64_t flags;
  Tensor tensor;
};

// Names of capsules that hold them and that nobody has taken yet.
constexpr const char* kName = "dltensor";
constexpr const char* kNameVersioned = "dltensor_versioned";

}  // namespace bindrt::dlpack
