// The functions of the libdeflate that another module of this process has loaded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bindrt::png {

struct Decompressor;

struct Library {
  Decompressor* (*create)();
  void (*destroy)(Decompressor*);
  // The sizes may be null: then anything but exactly `room` bytes out is an error.
  int (*unpack)(Decompressor*, const void* packed, std::size_t size, void* out, std::size_t room,
                std::size_t* unpacked);

  // Looks them up in the loaded module at `path`; false if one is missing.
  bool find(const char* path) noexcept;

  // Unpacks a zlib stream of exactly `room` bytes; false if it is damaged, or of another size.
  bool unpack_exactly(const std::uint8_t* packed, std::size_t size, std::uint8_t* out,
                      std::size_t room) const noexcept;
};

}  // namespace bindrt::png
