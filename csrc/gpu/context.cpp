// Loads kernels into a device's context and launches them.
#include "csrc/gpu/context.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

namespace bindrt::gpu {
namespace {

std::string shape_text(const kernels::LaunchShape& shape) {
  std::ostringstream text;
  text << "grid (" << shape.grid_x << ", " << shape.grid_y << ", " << shape.grid_z << "), block ("
       << shape.block_x << ", " << shape.block_y << ", " << shape.block_z << "), " << shape.shared_bytes
       << " bytes of shared memory";
  return text.str();
}

// Whether another image of the same source may load where this one did not.
bool another_may_load(const Error& error) {
  return error.code() == cu::kInvalidImage || error.code() == cu::kNoBinaryForGpu ||
         error.code() == cu::kUnsupportedPtxVersion || error.code() == cu::kJitCompilerNotFound;
}

}  // namespace

Context::Context(const Driver& driver, int device, const KernelSet& kernels)
    : driver_(driver), device_(device_info(driver, device)), kernels_(kernels) {
  driver_.call("cuDevicePrimaryCtxRetain", &cu::Api::primary_retain, &context_, device_.handle);
}

Context::~Context() {
  for (const auto& [name, module] : modules_) {
    ask(&cu::Api::module_unload, module);
  }
  driver_.ask(&cu::Api::primary_release, device_.handle);
}

Context::Current::Current(const Context& context) : driver_(context.driver_), pushed_(true) {
  driver_.call("cuCtxPushCurrent", &cu::Api::context_push, context.context_);
}

Context::Current::Current(const Context& context, std::nothrow_t) noexcept
    : driver_(context.driver_),
      pushed_(driver_.ask(&cu::Api::context_push, context.context_) == cu::kSuccess) {}

Context::Current::~Current() {
  if (pushed_) {
    cu::Context popped = nullptr;
    driver_.ask(&cu::Api::context_pop, &popped);
  }
}

void Context::launch(cu::Stream stream, std::string_view kernel, const kernels::LaunchShape& shape,
                     const void* params, std::size_t params_bytes) {
  const Current current(*this);
  const cu::Function function = prepare(kernel, params_bytes, shape.shared_bytes);
  std::array<void*, 1> arguments{const_cast<void*>(params)};  // the driver only reads it
  const cu::Result result = driver_.ask(&cu::Api::launch, function, shape.grid_x, shape.grid_y, shape.grid_z,
                                        shape.block_x, shape.block_y, shape.block_z, shape.shared_bytes,
                                        stream, arguments.data(), static_cast<void**>(nullptr));
  if (result != cu::kSuccess) {
    driver_.fail("launching " + std::string(kernel) + ", " + shape_text(shape), result);
  }
}

cu::Function Context::prepare(std::string_view name, std::size_t params_bytes, std::size_t shared_bytes) {
  const std::lock_guard lock(mutex_);
  LoadedKernel& found = kernel(name);
  if (found.params_bytes != 0 && found.params_bytes != params_bytes) {
    throw refusal(std::string(name) + " takes " + std::to_string(found.params_bytes) +
                  " bytes of parameters, not " + std::to_string(params_bytes) +
                  ": it was compiled from other sources than this module; build anew");
  }
  if (shared_bytes > found.shared_dynamic) {
    throw refusal(std::string(name) + " would need " + std::to_string(shared_bytes) +
                  " bytes of dynamic shared memory; it can have " + std::to_string(found.shared_dynamic));
  }
  return found.function;
}

LoadedKernel& Context::kernel(std::string_view name) {
  const auto loaded = loaded_.find(name);
  if (loaded != loaded_.end()) {
    return loaded->second;
  }
  const auto known = std::find_if(kernels_.kernels.begin(), kernels_.kernels.end(),
                                  [name](const KernelName& entry) { return entry.kernel == name; });
  if (known == kernels_.kernels.end()) {
    throw refusal(kernels_.compiler.empty()
                      ? "this build of bindrt has no GPU kernels; see `python -m bindrt doctor`"
                      : "this build of bindrt has no kernel " + std::string(name));
  }
  LoadedKernel made;
  const std::string text(name);
  driver_.call("looking for " + text, &cu::Api::module_function, &made.function, module(known->module),
               text.c_str());
  int bytes = 0;
  driver_.call("cuFuncGetAttribute", &cu::Api::function_attribute, &bytes, cu::kFunctionStaticShared,
               made.function);
  const auto shared_static = static_cast<std::size_t>(bytes);
  made.shared_dynamic = device_.shared > shared_static ? device_.shared - shared_static : 0;
  std::size_t offset = 0;
  if (driver_.ask(&cu::Api::function_parameter, made.function, std::size_t{0}, &offset, &made.params_bytes) !=
      cu::kSuccess) {
    made.params_bytes = 0;
  }
  return loaded_.emplace(text, made).first->second;
}

cu::Module Context::module(std::string_view name) {
  const auto loaded = modules_.find(name);
  if (loaded != modules_.end()) {
    return loaded->second;
  }
  const std::vector<const Image*> images = candidates(kernels_, name, device_.capability);
  if (images.empty()) {
    throw refusal(device_.name + " has compute capability " + capability_text(device_.capability) +
                  ", for which this build has no kernels; it must be 7.5 or newer");
  }
  for (const Image* const image : images) {
    try {
      return modules_.emplace(name, load(*image)).first->second;
    } catch (const Error& error) {
      if (image == images.back() || !another_may_load(error)) {
        throw;
      }
    }
  }
  return nullptr;  // not reached: the last image loads or throws
}

cu::Module Context::load(const Image& image) const {
  std::array<char, 4096> log{};
  std::array<int, 2> options{cu::kJitErrorLog, cu::kJitErrorLogBytes};
  std::array<void*, 2> values{log.data(), reinterpret_cast<void*>(log.size() - 1)};
  cu::Module made = nullptr;
  const cu::Result result =
      driver_.ask(&cu::Api::module_load, &made, static_cast<const void*>(image.bytes.data()),
                  static_cast<unsigned>(options.size()), options.data(), values.data());
  if (result != cu::kSuccess) {
    const std::string said = log[0] != '\0' ? " (" + std::string(log.data()) + ")" : "";
    driver_.fail("loading the kernels of " + std::string(image.module) + " for " + target_text(image) + said,
                 result);
  }
  return made;
}

void Context::load_all() {
  const Current current(*this);
  const std::lock_guard lock(mutex_);
  for (const KernelName& entry : kernels_.kernels) {
    kernel(entry.kernel);
  }
}

Context::Place Context::place_of(cu::Pointer address) const noexcept {
  int device = 0;
  if (ask(&cu::Api::pointer_attribute, static_cast<void*>(&device), cu::kPointerDevice, address) !=
      cu::kSuccess) {
    return Place::kNowhere;
  }
  if (device != device_.index) {
    return Place::kOtherDevice;
  }
  cu::Context owner = nullptr;  // memory of a pool, or mapped by its owner, has none
  const cu::Result known =
      ask(&cu::Api::pointer_attribute, static_cast<void*>(&owner), cu::kPointerContext, address);
  const bool is_ours = known != cu::kSuccess || owner == nullptr || owner == context_;
  return is_ours ? Place::kHere : Place::kOtherContext;
}

std::size_t Context::memory_free() const {
  std::size_t available = 0;
  std::size_t total = 0;
  call("cuMemGetInfo", &cu::Api::memory_info, &available, &total);
  return available;
}

}  // namespace bindrt::gpu
