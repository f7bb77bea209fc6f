// A device's queue for an engine that Python drives.
#include <pybind11/stl.h>

#include <memory>
#include <vector>

#include "csrc/gpu/process.h"
#include "csrc/python/arguments/arrays.h"
#include "csrc/python/gil.h"
#include "csrc/python/gpu/bindings.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

const void* pointer(cu::Pointer address) { return reinterpret_cast<const void*>(address); }

// A StreamQueue for an engine that Python drives: it gets our memory and our stream as numbers.
class EngineQueue {
 public:
  explicit EngineQueue(int device) : queue_(process_context(device)), reached_(queue_.context()) {}

  std::uintptr_t stream() const { return reinterpret_cast<std::uintptr_t>(queue_.stream().handle()); }
  cu::Pointer take(std::size_t bytes) { return reinterpret_cast<cu::Pointer>(queue_.scratch(bytes)); }

  void upload(cu::Pointer target, const py::array& source) {
    check(source);
    const void* const host = source.data();
    const auto bytes = static_cast<std::size_t>(source.nbytes());
    const WithoutGil release;
    queue_.upload(const_cast<void*>(pointer(target)), host, bytes);
  }

  // Waits: the array is written when this returns.
  void download(py::array& target, cu::Pointer source) {
    check(target);
    void* const host = target.mutable_data();  // ValueError if it is read-only
    const auto bytes = static_cast<std::size_t>(target.nbytes());
    const WithoutGil release;
    queue_.download(host, pointer(source), bytes);
    queue_.wait();
  }

  void wait() const {
    const WithoutGil release;
    queue_.wait();
  }

  // Another library's stream: what this queue gets from now on comes after what that has got.
  void wait_for(std::uintptr_t other) {
    const WithoutGil release;
    const Stream stream = borrowed(other);
    reached_.record(stream);
    queue_.stream().wait_for(reached_);
  }

  // What that stream gets from now on comes after what this queue has got.
  void go_before(std::uintptr_t other) {
    const WithoutGil release;
    Stream stream = borrowed(other);
    reached_.record(queue_.stream());
    stream.wait_for(reached_);
  }

  void rewind() {
    const WithoutGil release;
    queue_.rewind();
  }

  void enter() { current_.push_back(std::make_unique<Context::Current>(queue_.context())); }
  void exit() {
    if (!current_.empty()) {
      current_.pop_back();
    }
  }

 private:
  Stream borrowed(std::uintptr_t handle) const {
    return {queue_.context(), reinterpret_cast<cu::Stream>(handle)};
  }
  static void check(const py::array& array) {
    if (!is_contiguous(array)) {
      throw py::value_error("the array is not contiguous");
    }
  }

  StreamQueue queue_;
  Event reached_;  // a stream that waits for it keeps to the record before, so one serves both ways
  std::vector<std::unique_ptr<Context::Current>> current_;
};

}  // namespace

void bind_queue(py::module_& module) {
  py::class_<EngineQueue>(module, "Queue", py::is_final(),
                          py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                          "A stream of a device with its memory, for one thread at a time.")
      .def(py::init<int>(), py::arg("device") = 0, py::call_guard<WithoutGil>())
      .def_property_readonly("stream", &EngineQueue::stream, "Handle of the stream.")
      .def("take", &EngineQueue::take, py::arg("bytes"),
           "Address of device memory that is ours until rewind(); aligned to 256 bytes.")
      .def("upload", &EngineQueue::upload, py::arg("target"), py::arg("source").noconvert(),
           "Queue a copy of an array to the device; the array is free at once.")
      .def("download", &EngineQueue::download, py::arg("target").noconvert(), py::arg("source"),
           "Copy to an array and wait for all that was queued before.")
      .def("wait", &EngineQueue::wait, "Wait for all that was queued.")
      .def("wait_for", &EngineQueue::wait_for, py::arg("stream"),
           "What is queued from now on comes after what another stream has got; nobody waits here.")
      .def("go_before", &EngineQueue::go_before, py::arg("stream"),
           "What another stream gets from now on comes after what was queued; nobody waits here.")
      .def("rewind", &EngineQueue::rewind, "Give back all memory that was taken.")
      .def(
          "__enter__",
          [](EngineQueue& self) -> EngineQueue& {
            self.enter();
            return self;
          },
          py::return_value_policy::reference_internal,
          "Make the device's context the calling thread's current one, for libraries that ask for it.")
      .def("__exit__", [](EngineQueue& self, const py::args&) { self.exit(); });
}

}  // namespace bindrt::gpu
