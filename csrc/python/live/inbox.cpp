// Pieces that were pushed to a live stream and wait to be prepared. A usual piece is looked at, copied and
// put here in one call, without more of Python: after a pause its code is in no cache any more, and a thread
// that runs long may lose its processor to the model.
//
// The interpreter is kept meanwhile, as in owned.cpp. The mutex of live::Inbox is for interpreters without
// their lock.
#include "csrc/live/inbox.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <unistd.h>

#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/python/live/blocks.h"
#include "csrc/python/live/fields.h"
#include "csrc/python/live/owned.h"

namespace py = pybind11;

namespace bindrt {
namespace {

live::PieceKind kind_of(const std::string& name) {
  if (name == "blocks") {
    return live::PieceKind::kBlocks;
  }
  if (name == "samples") {
    return live::PieceKind::kSamples;
  }
  if (name != "frames") {
    throw py::value_error("'" + name + "' is not a kind of pieces; it is blocks, frames or samples");
  }
  return live::PieceKind::kFrames;
}

live::Keep keep_of(const std::string& name) {
  if (name == "newest") {
    return live::Keep::kNewest;
  }
  if (name != "recent" && name != "all") {
    throw py::value_error("'" + name + "' is not what is kept; it is newest, recent or all");
  }
  return name == "recent" ? live::Keep::kRecent : live::Keep::kAll;
}

// time.monotonic(): on Linux without a call into Python, whose code would have to come from memory.
double monotonic() {
#if defined(__linux__)
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
#else
  return py::module_::import("time").attr("monotonic")().cast<double>();
#endif
}

// What Python has of a piece.
struct Held {
  py::object piece{};  // one that Python made; else null, and it is made of the rest
  py::object fixed{};  // a frame that nobody can change
  py::object dtype{};
};

class Inbox {
 public:
  Inbox(const std::string& kind, py::object made, double rate, const std::string& keep,
        std::size_t most_bytes)
      : made_(std::move(made)), inbox_({kind_of(kind), rate, keep_of(keep), most_bytes}) {}

  void expect(const py::array& like) {
    if (like.ndim() == 0) {
      throw py::value_error("pass an array with axes");
    }
    const py::dtype dtype = like.dtype();
    inbox_.expect(dtype.ptr(), {like.shape(), like.shape() + like.ndim()}, {{}, {}, dtype});
  }

  int push(const py::object& data, const py::object& time) {
    if (::getpid() != process_) {  // nobody takes what a forked child pushes
      return static_cast<int>(live::Answer::kUnusual);
    }
    const double arrived = monotonic();
    const auto fields = fields_of(data);
    const auto fix = [&data](Held& held) {
      const bool is_fixed =
          py::detail::array_proxy(data.ptr())->base != nullptr && lies_in_bytes(py::array(data));
      if (is_fixed) {
        held.fixed = data;
      }
      return is_fixed;
    };
    return static_cast<int>(fields ? inbox_.push(*fields, moment_of(time), arrived, fix)
                                   : live::Answer::kUnusual);
  }

  bool put(py::object piece, std::size_t bytes, double seconds) {
    return inbox_.put({std::move(piece)}, bytes, seconds);
  }
  void put_back(py::object piece, std::size_t bytes, double seconds) {
    inbox_.put_back({std::move(piece)}, bytes, seconds);
  }

  py::object take() {
    std::optional<live::Piece<Held>> found = inbox_.take();
    if (!found) {
      return py::none();
    }
    if (inbox_.wants_memory(*found)) {
      const WithoutGil release;
      inbox_.provide(*found);
    }
    return piece_of(std::move(*found));
  }

  double grow(double newest) { return inbox_.grow(newest); }
  bool has_room(std::size_t bytes) const { return inbox_.has_room(bytes); }
  void close() { inbox_.close(); }
  void set_due(double due) { inbox_.set_due(due); }
  std::size_t size() const { return inbox_.size(); }
  double seconds() const { return inbox_.seconds(); }
  std::int64_t pushed() const { return inbox_.pushed(); }
  std::int64_t dropped() const { return inbox_.dropped(); }

 private:
  // What Python makes of it.
  py::object piece_of(live::Piece<Held> piece) const {
    if (piece.held.piece) {
      return std::move(piece.held.piece);
    }
    py::object data = std::move(piece.held.fixed);
    if (!data) {
      const std::byte* const at = piece.block.data();
      const py::object owner = owner_of(std::move(piece.block));
      const std::size_t times = piece.time_bytes(inbox_.kind());
      const auto dtype = py::reinterpret_borrow<py::dtype>(piece.held.dtype);
      data = array_over(owner, dtype, piece.shape, at + times);
      if (times > 0) {
        data = py::make_tuple(data, array_over(owner, py::dtype::of<double>(), {piece.count}, at));
      }
    }
    return made_(data, piece.time, piece.arrived, piece.seconds, piece.bytes, piece.newest);
  }

  const py::object made_;
  const pid_t process_ = ::getpid();
  live::Inbox<Held> inbox_;
};

}  // namespace

void bind_inbox(py::module_& module) {
  py::class_<Inbox>(module, "Inbox", py::is_final(), py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)),
                    R"(Pieces that wait to be prepared. Any threads may push, put and take.

kind: "blocks", "frames" or "samples"; made: makes a piece of data, time, arrived, seconds, bytes, newest;
rate: of samples or frames without times, else 0; keep: "newest" piece alone, "recent" ones as far as there
is room, or "all"; most_bytes: that may wait.)")
      .def(py::init<const std::string&, py::object, double, const std::string&, std::size_t>(),
           py::arg("kind"), py::arg("made"), py::arg("rate") = 0.0, py::arg("keep") = "recent",
           py::arg("most_bytes") = live::InboxOptions{}.most_bytes)
      .def("expect", &Inbox::expect, py::arg("like"), "Arrays like this one are usual from now on.")
      .def("push", &Inbox::push, py::arg("data"), py::arg("time"),
           "Copy a usual piece. 0: it is another one, or it is not taken; 1: it waits; 2: it is to be looked "
           "at now.")
      .def("put", &Inbox::put, py::arg("piece"), py::arg("bytes"), py::arg("seconds"),
           "Add a piece that is made. False: the inbox is closed.")
      .def("put_back", &Inbox::put_back, py::arg("piece"), py::arg("bytes"), py::arg("seconds"),
           "Put what was just taken before all others.")
      .def("take", &Inbox::take, "What waits longest; None: nothing does.")
      .def("grow", &Inbox::grow, py::arg("newest"), "Seconds by which the signal grows to this time.")
      .def("has_room", &Inbox::has_room, py::arg("bytes"),
           "Whether a piece of so many bytes may wait too; one alone always may.")
      .def("close", &Inbox::close, "Take nothing any more.")
      .def("set_due", &Inbox::set_due, py::arg("due"),
           "The time of a sample that is to be looked at; earlier ones may wait.")
      .def("__len__", &Inbox::size)
      .def_property_readonly("seconds", &Inbox::seconds, "By how much the signal grows with what waits.")
      .def_property_readonly("pushed", &Inbox::pushed, "Pieces so far.")
      .def_property_readonly("dropped", &Inbox::dropped, "Those that newer ones pushed out.");
}

}  // namespace bindrt
