// The bytes of an item: those that were given, or a file read whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "csrc/prepare/prepare.h"

namespace bindrt::prepare {

class Contents {
 public:
  // nullopt for an array, for more bytes than `most`, for more given ones than the limits allow, and for what
  // is no regular file, cannot be read, is empty, or changes meanwhile.
  static std::optional<Contents> of(const Item& item, const Limits& limits, std::size_t most);

  const std::uint8_t* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  Contents(const std::uint8_t* data, std::size_t size) noexcept : data_(data), size_(size) {}

  std::unique_ptr<std::uint8_t[]> read_;  // null if the bytes were given
  const std::uint8_t* data_;
  std::size_t size_;
};

}  // namespace bindrt::prepare
