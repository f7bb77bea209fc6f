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
  // The check sum of a chunk; `before` is that of the bytes before these, 0 if there are none.
  std::uint32_t (*crc32)(std::uint32_t before, const void* bytes, std::size_t size);

  // Looks them up in the loaded module at `path`; false if one is missing.
  bool find(const char* path) noexcept;

  // Unpacks a zlib stream of exactly `room` bytes; false if it is damaged, or of another size.
  bool unpack_exactly(const std::uint8_t* packed, std::size_t size, std::uint8_t* out,
                      std::size_t room) const noexcept;

  // The same for a stream of at most `room` bytes.
  bool unpack_within(const std::uint8_t* packed, std::size_t size, std::uint8_t* out,
                     std::size_t room) const noexcept;
};

}  // namespace bindrt::png
