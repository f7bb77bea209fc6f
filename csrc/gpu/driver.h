// The NVIDIA driver's library, opened at run time: one build serves machines with and without it.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "csrc/gpu/api.h"

namespace bindrt::gpu {

// Whether a result says that a kernel failed in such a way that no later call in its context can succeed.
bool is_context_lost(cu::Result result) noexcept;

// A failed call of the driver, or a request that we refuse before it reaches the driver.
class Error : public std::runtime_error {
 public:
  Error(cu::Result code, std::string name, const std::string& message)
      : std::runtime_error(message), code_(code), name_(std::move(name)) {}

  cu::Result code() const noexcept { return code_; }  // 0: not from the driver
  const std::string& name() const noexcept {
    return name_;
  }  // "CUDA_ERROR_OUT_OF_MEMORY"; empty if code is 0
  bool out_of_memory() const noexcept { return code_ == cu::kOutOfMemory; }

  // Whether a kernel failed in such a way that no later call in its context can succeed in this process.
  bool context_lost() const noexcept { return is_context_lost(code_); }

 private:
  cu::Result code_;
  std::string name_;
};

// Our own refusal.
inline Error refusal(const std::string& message) { return {0, "", message}; }

// An opened library. Never closed: other libraries of the process use it as well, and it must outlive
// objects that static destructors free. All members may be called from any thread.
class Driver {
 public:
  // Opens `path` and starts the driver. Does not throw: where there is none, problem() says why.
  explicit Driver(const std::string& path);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // The process's driver: libcuda.so.1, or what the environment variable BINDRT_LIBCUDA names (the
  // simulated one, in tests). Opened at the first call.
  static const Driver& instance();
  static std::string default_path();

  // Whether there is a driver that runs, and if not, why.
  bool usable() const noexcept { return problem_.empty(); }
  const std::string& problem() const noexcept { return problem_; }

  const std::string& path() const noexcept { return path_; }
  int version() const noexcept { return version_; }            // 13010 is CUDA 13.1; 0 if unknown
  bool simulated() const noexcept { return simulated_; }       // tests/cudasim: no figure of it is a GPU's
  int device_count() const noexcept { return device_count_; }  // 0 if not usable

  // Calls a function of the driver; unless it succeeds, throws Error, which says `what` was tried. A driver
  // that was started before a fork does not work in the child: that is an Error too.
  template <class... Parameters, class... Arguments>
  void call(std::string_view what, cu::Result (*cu::Api::*function)(Parameters...),
            Arguments... arguments) const {
    check_process();
    const cu::Result result = (api_.*function)(arguments...);
    if (result != cu::kSuccess) {
      fail(what, result);
    }
  }

  // Calls a function without throwing, for destructors and questions; kNotSupported after a fork or where the
  // driver lacks the function.
  template <class... Parameters, class... Arguments>
  cu::Result ask(cu::Result (*cu::Api::*function)(Parameters...), Arguments... arguments) const noexcept {
    if (!in_this_process() || api_.*function == nullptr) {
      return cu::kNotSupported;
    }
    return (api_.*function)(arguments...);
  }

  // Throws Error where there is no driver, or it was started before a fork.
  void check_process() const;

  // "CUDA_ERROR_OUT_OF_MEMORY" and its explanation, as the driver puts them.
  std::string error_name(cu::Result result) const;
  std::string error_text(cu::Result result) const;

  [[noreturn]] void fail(std::string_view what, cu::Result result) const;

 private:
  std::string open();
  std::string start();
  bool in_this_process() const noexcept;

  std::string path_;
  std::string problem_;
  cu::Api api_;
  int version_ = 0;
  int device_count_ = 0;
  bool simulated_ = false;
  unsigned forks_ = 0;  // forks of this process and its ancestors when the driver was started
};

}  // namespace bindrt::gpu
