// Pieces that were pushed to a live stream and wait to be prepared. A usual piece is looked at, copied and
// put here in one call, without more of Python: after a pause its code is in no cache any more, and a thread
// that runs long may lose its processor to the model.
//
// The interpreter is kept meanwhile, as in owned.cpp. The mutex is for interpreters without their lock.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "csrc/live/copy.h"
#include "csrc/live/memory.h"
#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/python/live/blocks.h"
#include "csrc/python/live/usual.h"

namespace py = pybind11;

namespace bindrt {
namespace {

constexpr std::size_t kMostBytes = 256 << 20;  // that may wait
constexpr std::size_t kMostKept = 8 << 20;     // that nobody has, for pieces to come
constexpr std::size_t kLarge = 64 << 10;       // bytes of a piece for which whoever takes provides memory
constexpr std::size_t kReady = 2;              // blocks that are ready then
constexpr std::size_t kTogether = 64;          // samples that wait before they are looked at

enum class Answer { kUnusual, kTaken, kDue };
enum class Keep { kNewest, kRecent, kAll };

Keep keep_of(const std::string& name) {
  if (name == "newest") {
    return Keep::kNewest;
  }
  if (name != "recent" && name != "all") {
    throw py::value_error("'" + name + "' is not what is kept; it is newest, recent or all");
  }
  return name == "recent" ? Keep::kRecent : Keep::kAll;
}

// What waits.
struct Waiting {
  py::object piece{};  // one that Python made; else null, and it is made of the rest
  live::Block block{};
  py::object fixed{};  // a frame that nobody can change
  py::object dtype{};
  std::vector<py::ssize_t> shape{};
  py::ssize_t count = 0;
  std::optional<double> time{};
  std::optional<double> newest{};
  double arrived = 0;
  double seconds = 0;
  std::size_t bytes = 0;
};

class Inbox {
 public:
  Inbox(const std::string& kind, py::object made, double rate, const std::string& keep,
        std::size_t most_bytes)
      : made_(std::move(made)),
        monotonic_(py::module_::import("time").attr("monotonic")),
        rate_(rate),
        keep_(keep_of(keep)),
        most_bytes_(most_bytes) {
    usual_.kind = piece_kind(kind);
    usual_.may_have_no_time = usual_.kind == PieceKind::kBlocks || rate > 0;
  }

  // From now on arrays like this one are usual.
  void expect(const py::array& like) {
    if (like.ndim() == 0) {
      throw py::value_error("pass an array with axes");
    }
    const std::lock_guard lock(mutex_);
    usual_.dtype = like.dtype();
    usual_.shape.assign(like.shape(), like.shape() + like.ndim());
  }

  int push(const py::object& data, const py::object& time) {
    const double arrived = monotonic_().cast<double>();
    std::optional<Pushed> found;
    Waiting piece;
    {
      const std::lock_guard lock(mutex_);
      found = closed_ || !usual_.dtype ? std::nullopt : usual_.look(data, time);
      if (!found || (keep_ == Keep::kAll && !has_room_for(found->bytes()))) {
        return static_cast<int>(Answer::kUnusual);
      }
      piece = begun(*found, arrived);
    }
    if (found->is_fixed) {
      piece.fixed = data;
    } else {
      piece.block = copied(*found);
    }
    const std::optional<double> newest = piece.newest;
    std::vector<Waiting> dropped;  // freed without the mutex
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return static_cast<int>(Answer::kUnusual);
    }
    piece.seconds = seconds_of(piece);
    add(std::move(piece), dropped);
    const bool waits =
        usual_.kind == PieceKind::kSamples && waiting_.size() < kTogether && !(newest && *newest >= due_);
    return static_cast<int>(waits ? Answer::kTaken : Answer::kDue);
  }

  bool put(py::object made, std::size_t bytes, double seconds) {
    Waiting piece;
    piece.piece = std::move(made);
    piece.bytes = bytes;
    piece.seconds = std::isfinite(seconds) ? seconds : 0;
    std::vector<Waiting> dropped;
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return false;
    }
    add(std::move(piece), dropped);
    return true;
  }

  void put_back(py::object made, std::size_t bytes, double seconds) {
    Waiting piece;
    piece.piece = std::move(made);
    piece.bytes = bytes;
    piece.seconds = seconds;
    const std::lock_guard lock(mutex_);
    count(piece, 1);
    waiting_.push_front(std::move(piece));
  }

  py::object take() {
    std::optional<Waiting> found;
    bool ready = true;  // memory of the pieces to come
    {
      const std::lock_guard lock(mutex_);
      found = pop();
      ready = !found || found->fixed || !usual_.dtype || found->bytes < kLarge ||
              memory_->provides(found->bytes, kReady);
    }
    if (!ready) {
      const WithoutGil release;
      memory_->provide(found->bytes, kReady);
    }
    return found ? piece_of(std::move(*found)) : py::none();
  }

  double grow(double newest) {
    const std::lock_guard lock(mutex_);
    return grown(newest);
  }

  bool has_room(std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    return has_room_for(bytes);
  }

  // Nothing is taken any more.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  double seconds() const {
    const std::lock_guard lock(mutex_);
    return seconds_;
  }
  std::int64_t pushed() const {
    const std::lock_guard lock(mutex_);
    return pushed_;
  }
  std::int64_t dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }
  void set_due(double due) {
    const std::lock_guard lock(mutex_);
    due_ = due;
  }

 private:
  // The times of samples stand before their numbers.
  live::Block copied(const Pushed& found) const {
    live::Block block = memory_->take(found.bytes());
    if (found.time_bytes > 0) {
      std::memcpy(block.data(), found.times == nullptr ? &*found.time : found.times, found.time_bytes);
    }
    live::copy(found.rows, block.data() + found.time_bytes);
    return block;
  }

  // What Python makes of it.
  py::object piece_of(Waiting waiting) const {
    if (waiting.piece) {
      return std::move(waiting.piece);
    }
    py::object data = std::move(waiting.fixed);
    if (!data) {
      const std::byte* const at = waiting.block.data();
      const py::object owner = owner_of(std::move(waiting.block));
      const bool is_samples = usual_.kind == PieceKind::kSamples;
      const std::size_t times = is_samples ? static_cast<std::size_t>(waiting.count) * sizeof(double) : 0;
      data = array_over(owner, py::reinterpret_borrow<py::dtype>(waiting.dtype), waiting.shape, at + times);
      if (is_samples) {
        data = py::make_tuple(data, array_over(owner, py::dtype::of<double>(), {waiting.count}, at));
      }
    }
    return made_(data, waiting.time, waiting.arrived, waiting.seconds, waiting.bytes, waiting.newest);
  }

  // What follows is called with the mutex held.

  Waiting begun(const Pushed& found, double arrived) const {
    Waiting piece;
    piece.dtype = usual_.dtype;
    piece.shape = usual_.shape;
    if (usual_.kind != PieceKind::kFrames) {
      piece.shape.back() = found.count;
    }
    piece.count = found.count;
    piece.time = found.time;
    piece.newest = found.newest;
    piece.arrived = arrived;
    piece.bytes = found.bytes();
    return piece;
  }

  double seconds_of(const Waiting& piece) {
    if (usual_.kind == PieceKind::kBlocks) {
      return static_cast<double>(piece.count) / rate_;
    }
    return piece.newest ? grown(*piece.newest) : 1 / rate_;
  }

  // Seconds by which the signal grows with a piece whose newest time is this.
  double grown(double newest) {
    if (!std::isfinite(newest)) {
      return 0;
    }
    const double last = newest_.value_or(newest);
    // Two sensors' samples come in turns, each with times of its own.
    newest_ = usual_.kind == PieceKind::kSamples ? std::max(newest, last) : newest;
    return std::max(newest - last, 0.0);
  }

  bool has_room_for(std::size_t bytes) const { return waiting_.empty() || bytes_ + bytes <= most_bytes_; }

  void add(Waiting piece, std::vector<Waiting>& dropped) {
    while (keep_ != Keep::kAll && !waiting_.empty() &&
           (keep_ == Keep::kNewest || !has_room_for(piece.bytes))) {
      dropped.push_back(std::move(*pop()));
      ++dropped_;
    }
    count(piece, 1);
    waiting_.push_back(std::move(piece));
    ++pushed_;
  }

  std::optional<Waiting> pop() {
    if (waiting_.empty()) {
      return std::nullopt;
    }
    std::optional<Waiting> found(std::move(waiting_.front()));
    waiting_.pop_front();
    count(*found, -1);
    return found;
  }

  void count(const Waiting& piece, int times) {
    bytes_ += times > 0 ? piece.bytes : -piece.bytes;
    seconds_ = waiting_.empty() && times < 0 ? 0 : seconds_ + times * piece.seconds;  // no rest of rounding
  }

  const py::object made_;
  const py::object monotonic_;
  const double rate_;
  const Keep keep_;
  const std::size_t most_bytes_;
  const std::shared_ptr<live::Memory> memory_ = live::Memory::make(kMostKept);

  mutable std::mutex mutex_;  // guards what follows
  Usual usual_;
  std::deque<Waiting> waiting_;
  std::optional<double> newest_;
  std::size_t bytes_ = 0;  // that wait
  double seconds_ = 0;     // so too
  double due_ = -std::numeric_limits<double>::infinity();
  std::int64_t pushed_ = 0, dropped_ = 0;
  bool closed_ = false;
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
           py::arg("most_bytes") = kMostBytes)
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
