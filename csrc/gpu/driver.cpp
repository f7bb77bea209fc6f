// Opens the driver's library, and turns its error codes into exceptions.
#include "csrc/gpu/driver.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>

namespace bindrt::gpu {
namespace {

constexpr const char* kForked =
    "the GPU was started before this process was forked, and no driver works across a fork; start "
    "processes by multiprocessing's 'spawn', or use the GPU only after forking";

// How often this process came from a fork, counted from when the first driver was opened.
std::atomic<unsigned> forks{0};

void count_forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
  static_cast<void>(registered);
}

template <class Function>
bool find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  return function != nullptr;
}

}  // namespace

// As the driver's manual says of each: the process is left in an inconsistent state, and any further work
// returns the same error. The unknown error is among them, since nothing says that work may go on.
bool is_context_lost(cu::Result result) noexcept {
  switch (result) {
    case cu::kEccUncorrectable:
    case cu::kNvlinkUncorrectable:
    case cu::kContained:
    case cu::kIllegalAddress:
    case cu::kLaunchTimeout:
    case cu::kAssert:
    case cu::kTensorMemoryLeak:
    case cu::kExternalDevice:
    case cu::kUnknown:
      return true;
    default:
      return result >= cu::kHardwareStack && result <= cu::kLaunchFailed;
  }
}

std::string Driver::default_path() {
  const char* const wanted = std::getenv("BINDRT_LIBCUDA");
  return wanted != nullptr && *wanted != '\0' ? wanted : "libcuda.so.1";
}

const Driver& Driver::instance() {
  static const Driver* const driver = new Driver(default_path());  // outlives static destructors
  return *driver;
}

Driver::Driver(const std::string& path) : path_(path) {
  count_forks();
  forks_ = forks.load();
  problem_ = open();
  if (problem_.empty()) {
    problem_ = start();
  }
}

std::string Driver::open() {
  void* const library = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const said = dlerror();
    const std::string reason = said != nullptr ? said : "no reason given";
    return reason.starts_with(path_) ? reason : path_ + ": " + reason;
  }
  std::string missing;
#define BINDRT_FIND(member, symbol, parameters) \
  if (!find(library, #symbol, api_.member)) {   \
    missing += missing.empty() ? "" : ", ";     \
    missing += #symbol;                         \
  }
  BINDRT_DRIVER_FUNCTIONS(BINDRT_FIND)
#undef BINDRT_FIND
#define BINDRT_FIND(member, symbol, parameters) find(library, #symbol, api_.member);
  BINDRT_DRIVER_OPTIONAL_FUNCTIONS(BINDRT_FIND)
#undef BINDRT_FIND
  simulated_ = dlsym(library, "bindrt_cudasim") != nullptr;
  return missing.empty() ? "" : path_ + " is not a driver that we know: it lacks " + missing;
}

std::string Driver::start() {
  api_.driver_version(&version_);
  if (const cu::Result result = api_.init(0); result != cu::kSuccess) {
    // What cuInit says in a child of a process that had started the driver, by us or by another library.
    return "the driver does not start: " + error_name(result) + " (" + error_text(result) + ")" +
           (result == cu::kNotInitialized ? std::string("; ") + kForked : "");
  }
  if (const cu::Result result = api_.device_count(&device_count_); result != cu::kSuccess) {
    device_count_ = 0;
    return "its devices cannot be counted: " + error_name(result);
  }
  return device_count_ > 0 ? "" : "the driver has no device";
}

bool Driver::in_this_process() const noexcept { return forks.load(std::memory_order_relaxed) == forks_; }

void Driver::check_process() const {
  if (!usable()) {
    throw refusal("no GPU: " + problem_);
  }
  if (!in_this_process()) {
    throw refusal(kForked);
  }
}

std::string Driver::error_name(cu::Result result) const {
  const char* name = nullptr;
  return ask(&cu::Api::error_name, result, &name) == cu::kSuccess && name != nullptr
             ? name
             : "CUDA error " + std::to_string(result);
}

std::string Driver::error_text(cu::Result result) const {
  const char* text = nullptr;
  return ask(&cu::Api::error_text, result, &text) == cu::kSuccess && text != nullptr ? text : "unknown";
}

void Driver::fail(std::string_view what, cu::Result result) const {
  const std::string name = error_name(result);
  Error error(result, name, std::string(what) + ": " + name + " (" + error_text(result) + ")");
  if (error.context_lost()) {
    error =
        Error(result, name,
              std::string(error.what()) + "; the GPU is lost to this process, which must be started anew");
  }
  throw error;
}

}  // namespace bindrt::gpu
