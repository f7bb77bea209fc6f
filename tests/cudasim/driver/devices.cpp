// The simulated driver's functions about devices, contexts and errors.
#include <unistd.h>

#include <cstdio>

#include "tests/cudasim/driver/state.h"

namespace bindrt::cudasim::driver {
namespace {

int attribute_of(const Machine& machine, int which) {
  switch (which) {
    case cu::kMaxThreadsPerBlock:
      return 1024;
    case cu::kMaxSharedPerBlock:
      return 48 << 10;
    case cu::kMultiprocessors:
      return 2;
    case cu::kMajor:
      return machine.capability / 10;
    case cu::kMinor:
      return machine.capability % 10;
    case cu::kIntegrated:
      return 0;
    default:  // clocks: nothing that could be taken for a speed
      return 0;
  }
}

const char* name_of(cu::Result result) {
  switch (result) {
    case cu::kSuccess:
      return "CUDA_SUCCESS";
    case kInvalidValue:
      return "CUDA_ERROR_INVALID_VALUE";
    case cu::kOutOfMemory:
      return "CUDA_ERROR_OUT_OF_MEMORY";
    case cu::kNotInitialized:
      return "CUDA_ERROR_NOT_INITIALIZED";
    case cu::kEccUncorrectable:
      return "CUDA_ERROR_ECC_UNCORRECTABLE";
    case cu::kNvlinkUncorrectable:
      return "CUDA_ERROR_NVLINK_UNCORRECTABLE";
    case cu::kContained:
      return "CUDA_ERROR_CONTAINED";
    case cu::kTensorMemoryLeak:
      return "CUDA_ERROR_TENSOR_MEMORY_LEAK";
    case cu::kExternalDevice:
      return "CUDA_ERROR_EXTERNAL_DEVICE";
    case cu::kUnknown:
      return "CUDA_ERROR_UNKNOWN";
    case kNoDevice:
      return "CUDA_ERROR_NO_DEVICE";
    case kInvalidDevice:
      return "CUDA_ERROR_INVALID_DEVICE";
    case cu::kInvalidImage:
      return "CUDA_ERROR_INVALID_IMAGE";
    case kInvalidContext:
      return "CUDA_ERROR_INVALID_CONTEXT";
    case cu::kNoBinaryForGpu:
      return "CUDA_ERROR_NO_BINARY_FOR_GPU";
    case cu::kUnsupportedPtxVersion:
      return "CUDA_ERROR_UNSUPPORTED_PTX_VERSION";
    case kInvalidHandle:
      return "CUDA_ERROR_INVALID_HANDLE";
    case kIllegalState:
      return "CUDA_ERROR_ILLEGAL_STATE";
    case cu::kNotFound:
      return "CUDA_ERROR_NOT_FOUND";
    case cu::kNotReady:
      return "CUDA_ERROR_NOT_READY";
    case cu::kLaunchOutOfResources:
      return "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES";
    case cu::kLaunchFailed:
      return "CUDA_ERROR_LAUNCH_FAILED";
    case cu::kNotSupported:
      return "CUDA_ERROR_NOT_SUPPORTED";
    case kCaptureUnsupported:
      return "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED";
    case kCaptureInvalidated:
      return "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED";
    case kCaptureUnmatched:
      return "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED";
    case kCaptureUnjoined:
      return "CUDA_ERROR_STREAM_CAPTURE_UNJOINED";
    case kCaptureIsolation:
      return "CUDA_ERROR_STREAM_CAPTURE_ISOLATION";
    case kCapturedEvent:
      return "CUDA_ERROR_CAPTURED_EVENT";
    case kCaptureWrongThread:
      return "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD";
    default:
      return nullptr;
  }
}

void check_device(const State& state, cu::Device device) {
  if (device < 0 || device >= state.machine.count) {
    throw Refusal{kInvalidDevice};
  }
}

}  // namespace
}  // namespace bindrt::cudasim::driver

using namespace bindrt::cudasim::driver;

// Tells csrc/gpu that this is the simulated driver.
BINDRT_DRIVER_API const int bindrt_cudasim = 1;

BINDRT_DRIVER_API cu::Result cuInit(unsigned flags) {
  return guarded([&](State& state) {
    if (flags != 0) {
      throw Refusal{kInvalidValue};
    }
    if (state.started != 0) {
      return;
    }
    if (state.machine.count == 0) {
      throw Refusal{kNoDevice};
    }
    for (int device = 0; device < state.machine.count; ++device) {
      state.contexts.push_back(std::make_unique<ContextState>());
      state.contexts.back()->device = device;
    }
    state.started = ::getpid();
  });
}

BINDRT_DRIVER_API cu::Result cuDriverGetVersion(int* version) {
  return guarded(
      [&](State& state) { *version = state.machine.cuda / 10 * 1000 + state.machine.cuda % 10 * 10; });
}

BINDRT_DRIVER_API cu::Result cuGetErrorName(cu::Result result, const char** name) {
  *name = name_of(result);
  return *name == nullptr ? kInvalidValue : cu::kSuccess;
}

BINDRT_DRIVER_API cu::Result cuGetErrorString(cu::Result result, const char** text) {
  *text = name_of(result) == nullptr ? nullptr : "simulated";
  return *text == nullptr ? kInvalidValue : cu::kSuccess;
}

BINDRT_DRIVER_API cu::Result cuDeviceGetCount(int* count) {
  return guarded([&](State& state) { *count = state.started != 0 ? state.machine.count : 0; });
}

BINDRT_DRIVER_API cu::Result cuDeviceGet(cu::Device* device, int index) {
  return guarded([&](State& state) {
    check_device(state, index);
    *device = index;
  });
}

BINDRT_DRIVER_API cu::Result cuDeviceGetName(char* name, int bytes, cu::Device device) {
  return guarded([&](State& state) {
    check_device(state, device);
    std::snprintf(name, static_cast<std::size_t>(bytes), "simulated device %d", device);
  });
}

BINDRT_DRIVER_API cu::Result cuDeviceTotalMem_v2(std::size_t* bytes, cu::Device device) {
  return guarded([&](State& state) {
    check_device(state, device);
    *bytes = state.machine.memory;
  });
}

BINDRT_DRIVER_API cu::Result cuDeviceGetAttribute(int* value, int which, cu::Device device) {
  return guarded([&](State& state) {
    check_device(state, device);
    *value = attribute_of(state.machine, which);
  });
}

BINDRT_DRIVER_API cu::Result cuDevicePrimaryCtxRetain(cu::Context* context, cu::Device device) {
  return guarded([&](State& state) {
    check_device(state, device);
    ContextState& found = *state.contexts.at(static_cast<std::size_t>(device));
    ++found.users;
    *context = reinterpret_cast<cu::Context>(&found);
  });
}

BINDRT_DRIVER_API cu::Result cuDevicePrimaryCtxRelease_v2(cu::Device device) {
  return guarded([&](State& state) {
    check_device(state, device);
    ContextState& found = *state.contexts.at(static_cast<std::size_t>(device));
    if (found.users == 0) {
      throw Refusal{kInvalidContext};
    }
    --found.users;
  });
}

BINDRT_DRIVER_API cu::Result cuCtxPushCurrent_v2(cu::Context context) {
  return guarded([&](State& state) {
    for (const auto& known : state.contexts) {
      if (reinterpret_cast<cu::Context>(known.get()) == context && known->users > 0) {
        state.stack().push_back(known.get());
        return;
      }
    }
    throw Refusal{kInvalidContext};
  });
}

BINDRT_DRIVER_API cu::Result cuCtxPopCurrent_v2(cu::Context* context) {
  return guarded([&](State& state) {
    if (state.stack().empty()) {
      throw Refusal{kInvalidContext};
    }
    *context = reinterpret_cast<cu::Context>(state.stack().back());
    state.stack().pop_back();
  });
}

BINDRT_DRIVER_API cu::Result cuCtxSynchronize() {
  return guarded([&](State& state) {
    ContextState& context = state.current();
    state.refuse_in_capture();
    state.run_until(context, [&] { return !state.has_work(context); });
  });
}
