// A device as this process uses it: its context and the kernels loaded into it.
#pragma once

#include <map>
#include <mutex>
#include <new>
#include <string>
#include <string_view>

#include "csrc/gpu/device.h"
#include "csrc/gpu/images.h"
#include "kernels/base/gpu.h"

namespace bindrt::gpu {

// A kernel that is loaded. Belongs to its context.
struct LoadedKernel {
  cu::Function function = nullptr;
  std::size_t params_bytes = 0;    // size of its parameter; 0 if the driver cannot tell
  std::size_t shared_dynamic = 0;  // bytes that a launch may ask for
};

// The device's primary context, which torch, CuPy and the CUDA runtime share, so that addresses and streams
// mean the same to all. Thread-safe. process.h keeps one for each device.
class Context {
 public:
  Context(const Driver& driver, int device, const KernelSet& kernels);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  const Driver& driver() const noexcept { return driver_; }
  const DeviceInfo& device() const noexcept { return device_; }
  cu::Context handle() const noexcept { return context_; }

  // While this lives, the context is the calling thread's current one; then what was before.
  class Current {
   public:
    explicit Current(const Context& context);
    Current(const Context& context, std::nothrow_t) noexcept;
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
    ~Current();

   private:
    const Driver& driver_;
    bool pushed_;
  };

  // Calls a function of the driver in this context.
  template <class... Parameters, class... Arguments>
  void call(std::string_view what, cu::Result (*cu::Api::*function)(Parameters...),
            Arguments... arguments) const {
    const Current current(*this);
    driver_.call(what, function, arguments...);
  }

  // Calls a function of the driver in this context without throwing.
  template <class... Parameters, class... Arguments>
  cu::Result ask(cu::Result (*cu::Api::*function)(Parameters...), Arguments... arguments) const noexcept {
    const Current current(*this, std::nothrow);
    return driver_.ask(function, arguments...);
  }

  // Launches a kernel on a stream of this context; loads it first if need be.
  void launch(cu::Stream stream, std::string_view kernel, const kernels::LaunchShape& shape,
              const void* params, std::size_t params_bytes);

  // Loads every kernel that the build has, so that no later call waits for it.
  void load_all();

  void synchronize() const { call("cuCtxSynchronize", &cu::Api::context_synchronize); }

  // Whether memory that another library has allocated can be used here.
  enum class Place { kHere, kNowhere, kOtherDevice, kOtherContext };
  Place place_of(cu::Pointer address) const noexcept;

  // Bytes of the device's memory that are free, of all processes.
  std::size_t memory_free() const;

 private:
  cu::Function prepare(std::string_view name, std::size_t params_bytes, std::size_t shared_bytes);
  LoadedKernel& kernel(std::string_view name);  // with mutex_ held
  cu::Module module(std::string_view name);     // with mutex_ held
  cu::Module load(const Image& image) const;

  const Driver& driver_;
  DeviceInfo device_;
  const KernelSet& kernels_;
  cu::Context context_ = nullptr;
  std::mutex mutex_;  // for the two maps and what they hold
  std::map<std::string, cu::Module, std::less<>> modules_;
  std::map<std::string, LoadedKernel, std::less<>> loaded_;
};

}  // namespace bindrt::gpu
