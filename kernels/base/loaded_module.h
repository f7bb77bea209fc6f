// Shared libraries that this process has loaded already.
#pragma once

#include <dlfcn.h>

#include <atomic>
#include <memory>

namespace bindrt::kernels {

class LoadedModule {
 public:
  // The module at `path`, and what it depends on, if it is loaded. It is never closed, so its functions stay.
  explicit LoadedModule(const char* path) noexcept : handle_(dlopen(path, RTLD_LAZY | RTLD_NOLOAD)) {}

  // False if there is no such function, or no such module.
  template <class Function>
  bool find(const char* name, Function*& function) const noexcept {
    function = handle_ == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(handle_, name));
    return function != nullptr;
  }

 private:
  void* handle_;
};

// The one library of its kind that all threads use, once it is named.
template <class Library>
class LibraryInUse {
 public:
  // Null until then.
  const Library* get() const noexcept { return library_.load(std::memory_order_acquire); }

  // The first one named stays for as long as the process lives: a thread may be in it at the end.
  void use(const Library& library) {
    auto made = std::make_unique<const Library>(library);
    const Library* none = nullptr;
    if (library_.compare_exchange_strong(none, made.get())) {
      static_cast<void>(made.release());
    }
  }

 private:
  std::atomic<const Library*> library_{nullptr};
};

}  // namespace bindrt::kernels
