// The part of NVIDIA's driver API that we use, declared here so that nothing of CUDA is needed to build.
// Names, numbers and signatures are those of the public interface, of which a driver keeps every version.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bindrt::gpu::cu {

using Result = int;
using Device = int;
using Pointer = std::uint64_t;  // an address of device memory
using Context = struct ContextObject*;
using Module = struct ModuleObject*;
using Function = struct FunctionObject*;
using Stream = struct StreamObject*;
using Event = struct EventObject*;
using Graph = struct GraphObject*;
using GraphExec = struct GraphExecObject*;

constexpr Result kSuccess = 0;
constexpr Result kOutOfMemory = 2;
constexpr Result kNotInitialized = 3;
constexpr Result kDeinitialized = 4;
constexpr Result kInvalidImage = 200;
constexpr Result kNoBinaryForGpu = 209;
constexpr Result kEccUncorrectable = 214;
constexpr Result kInvalidPtx = 218;
constexpr Result kNvlinkUncorrectable = 220;
constexpr Result kJitCompilerNotFound = 221;
constexpr Result kUnsupportedPtxVersion = 222;
constexpr Result kContained = 226;  // a hardware error that the GPU kept to this process
constexpr Result kNotFound = 500;
constexpr Result kNotReady = 600;
constexpr Result kIllegalAddress = 700;
constexpr Result kLaunchOutOfResources = 701;
constexpr Result kLaunchTimeout = 702;
constexpr Result kAssert = 710;
constexpr Result kHardwareStack = 714;  // from here to kLaunchFailed, as the three above but 701:
constexpr Result kLaunchFailed = 719;   // a kernel has broken its context for good
constexpr Result kTensorMemoryLeak = 721;
constexpr Result kNotSupported = 801;
constexpr Result kExternalDevice = 911;  // a device beside this one failed while both worked together
constexpr Result kUnknown = 999;

constexpr int kMaxThreadsPerBlock = 1;
constexpr int kMaxSharedPerBlock = 8;
constexpr int kMultiprocessors = 16;
constexpr int kIntegrated = 18;
constexpr int kMemoryClockRate = 36;  // kHz
constexpr int kMemoryBusWidth = 37;   // bits
constexpr int kMajor = 75;
constexpr int kMinor = 76;

constexpr unsigned kStreamNonBlocking = 1;
constexpr unsigned kEventBlockingSync = 1;  // a thread that waits for it sleeps
constexpr unsigned kEventDisableTiming = 2;
constexpr int kCaptureGlobal = 0;
constexpr int kCaptureThreadLocal = 1;  // forbids nothing to other threads
constexpr unsigned kHostPortable = 1;
constexpr int kFunctionStaticShared = 1;  // bytes that the kernel declares
constexpr int kFunctionRegisters = 4;
constexpr int kPointerContext = 1;  // null where the memory belongs to none
constexpr int kPointerDevice = 9;   // its number
constexpr int kJitErrorLog = 5;
constexpr int kJitErrorLogBytes = 6;

// X(member, symbol, parameters) for every function.
#define BINDRT_DRIVER_FUNCTIONS(X)                                                                   \
  X(init, cuInit, (unsigned))                                                                        \
  X(driver_version, cuDriverGetVersion, (int*))                                                      \
  X(error_name, cuGetErrorName, (Result, const char**))                                              \
  X(error_text, cuGetErrorString, (Result, const char**))                                            \
  X(device_count, cuDeviceGetCount, (int*))                                                          \
  X(device_get, cuDeviceGet, (Device*, int))                                                         \
  X(device_name, cuDeviceGetName, (char*, int, Device))                                              \
  X(device_memory, cuDeviceTotalMem_v2, (std::size_t*, Device))                                      \
  X(device_attribute, cuDeviceGetAttribute, (int*, int, Device))                                     \
  X(primary_retain, cuDevicePrimaryCtxRetain, (Context*, Device))                                    \
  X(primary_release, cuDevicePrimaryCtxRelease_v2, (Device))                                         \
  X(context_push, cuCtxPushCurrent_v2, (Context))                                                    \
  X(context_pop, cuCtxPopCurrent_v2, (Context*))                                                     \
  X(context_synchronize, cuCtxSynchronize, ())                                                       \
  X(memory_info, cuMemGetInfo_v2, (std::size_t*, std::size_t*))                                      \
  X(memory_alloc, cuMemAlloc_v2, (Pointer*, std::size_t))                                            \
  X(memory_free, cuMemFree_v2, (Pointer))                                                            \
  X(host_alloc, cuMemHostAlloc, (void**, std::size_t, unsigned))                                     \
  X(host_free, cuMemFreeHost, (void*))                                                               \
  X(copy_to_device, cuMemcpyHtoDAsync_v2, (Pointer, const void*, std::size_t, Stream))               \
  X(copy_to_host, cuMemcpyDtoHAsync_v2, (void*, Pointer, std::size_t, Stream))                       \
  X(copy_on_device, cuMemcpyDtoDAsync_v2, (Pointer, Pointer, std::size_t, Stream))                   \
  X(pointer_attribute, cuPointerGetAttribute, (void*, int, Pointer))                                 \
  X(fill_bytes, cuMemsetD8Async, (Pointer, unsigned char, std::size_t, Stream))                      \
  X(stream_create, cuStreamCreate, (Stream*, unsigned))                                              \
  X(stream_destroy, cuStreamDestroy_v2, (Stream))                                                    \
  X(stream_synchronize, cuStreamSynchronize, (Stream))                                               \
  X(stream_query, cuStreamQuery, (Stream))                                                           \
  X(stream_wait, cuStreamWaitEvent, (Stream, Event, unsigned))                                       \
  X(event_create, cuEventCreate, (Event*, unsigned))                                                 \
  X(event_destroy, cuEventDestroy_v2, (Event))                                                       \
  X(event_record, cuEventRecord, (Event, Stream))                                                    \
  X(event_query, cuEventQuery, (Event))                                                              \
  X(event_synchronize, cuEventSynchronize, (Event))                                                  \
  X(event_elapsed, cuEventElapsedTime, (float*, Event, Event))                                       \
  X(module_load, cuModuleLoadDataEx, (Module*, const void*, unsigned, int*, void**))                 \
  X(module_unload, cuModuleUnload, (Module))                                                         \
  X(module_function, cuModuleGetFunction, (Function*, Module, const char*))                          \
  X(function_attribute, cuFuncGetAttribute, (int*, int, Function))                                   \
  X(launch, cuLaunchKernel,                                                                          \
    (Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void**, \
     void**))

// Functions that older drivers lack; null where they do.
#define BINDRT_DRIVER_OPTIONAL_FUNCTIONS(X)                                                      \
  X(function_parameter, cuFuncGetParamInfo, (Function, std::size_t, std::size_t*, std::size_t*)) \
  X(capture_begin, cuStreamBeginCapture_v2, (Stream, int))                                       \
  X(capture_end, cuStreamEndCapture, (Stream, Graph*))                                           \
  X(graph_instantiate, cuGraphInstantiateWithFlags, (GraphExec*, Graph, unsigned long long))     \
  X(graph_destroy, cuGraphDestroy, (Graph))                                                      \
  X(graph_launch, cuGraphLaunch, (GraphExec, Stream))                                            \
  X(exec_destroy, cuGraphExecDestroy, (GraphExec))

struct Api {
#define BINDRT_DECLARE(member, symbol, parameters) Result(*member) parameters = nullptr;
  BINDRT_DRIVER_FUNCTIONS(BINDRT_DECLARE)
  BINDRT_DRIVER_OPTIONAL_FUNCTIONS(BINDRT_DECLARE)
#undef BINDRT_DECLARE
};

}  // namespace bindrt::gpu::cu
