// Looks up the functions of the libdeflate that this process has loaded.
#include "csrc/png/library.h"

#include <memory>

#include "kernels/base/loaded_module.h"

namespace bindrt::png {
namespace {

constexpr int kSuccess = 0;

}  // namespace

bool Library::find(const char* path) noexcept {
  const kernels::LoadedModule module(path);
  return module.find("libdeflate_alloc_decompressor", create) &&
         module.find("libdeflate_free_decompressor", destroy) &&
         module.find("libdeflate_zlib_decompress", unpack) && module.find("libdeflate_crc32", crc32);
}

bool Library::unpack_exactly(const std::uint8_t* packed, std::size_t size, std::uint8_t* out,
                             std::size_t room) const noexcept {
  const std::unique_ptr<Decompressor, void (*)(Decompressor*)> made(create(), destroy);
  return made != nullptr && unpack(made.get(), packed, size, out, room, nullptr) == kSuccess;
}

bool Library::unpack_within(const std::uint8_t* packed, std::size_t size, std::uint8_t* out,
                            std::size_t room) const noexcept {
  const std::unique_ptr<Decompressor, void (*)(Decompressor*)> made(create(), destroy);
  std::size_t unpacked = 0;
  return made != nullptr && unpack(made.get(), packed, size, out, room, &unpacked) == kSuccess;
}

}  // namespace bindrt::png
