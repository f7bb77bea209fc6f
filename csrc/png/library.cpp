// Looks up the functions of the libdeflate that this process has loaded.
#include "csrc/png/library.h"

#include <dlfcn.h>

#include <memory>

namespace bindrt::png {
namespace {

template <class Function>
bool look_up(void* module, const char* name, Function*& function) noexcept {
  function = reinterpret_cast<Function*>(dlsym(module, name));
  return function != nullptr;
}

}  // namespace

bool Library::find(const char* path) noexcept {
  // Already loaded, or not at all; it is never closed, so the functions stay.
  void* const module = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  return module != nullptr && look_up(module, "libdeflate_alloc_decompressor", create) &&
         look_up(module, "libdeflate_free_decompressor", destroy) &&
         look_up(module, "libdeflate_zlib_decompress", unpack);
}

bool Library::unpack_exactly(const std::uint8_t* packed, std::size_t size, std::uint8_t* out,
                             std::size_t room) const noexcept {
  constexpr int kSuccess = 0;
  const std::unique_ptr<Decompressor, void (*)(Decompressor*)> made(create(), destroy);
  return made != nullptr && unpack(made.get(), packed, size, out, room, nullptr) == kSuccess;
}

}  // namespace bindrt::png
