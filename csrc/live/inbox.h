// Pieces that were pushed to a live stream and wait to be prepared, without Python: what waits, how much it
// is, and what gives way to it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "csrc/live/memory.h"
#include "csrc/live/usual.h"

namespace bindrt::live {

enum class Answer { kUnusual, kTaken, kDue };
enum class Keep { kNewest, kRecent, kAll };

struct InboxOptions {
  PieceKind kind = PieceKind::kFrames;
  double rate = 0;  // of samples or frames without times
  Keep keep = Keep::kRecent;
  std::size_t most_bytes = 256 << 20;  // that may wait
};

// What waits. `held` is what its stream knows of it besides.
template <class Held>
struct Piece {
  Held held{};
  Block block{};  // the numbers; of samples behind their times
  std::vector<std::ptrdiff_t> shape{};
  std::ptrdiff_t count = 0;
  std::optional<double> time{};
  std::optional<double> newest{};
  double arrived = 0;
  double seconds = 0;  // by which the signal grows with it
  std::size_t bytes = 0;
  bool is_fixed = false;  // nobody can change the frame, so `held` has it

  std::size_t time_bytes(PieceKind kind) const noexcept {
    return kind == PieceKind::kSamples ? static_cast<std::size_t>(count) * sizeof(double) : 0;
  }
};

// Any threads may push, put and take. `Held` is copied and moved with the mutex held, but never freed.
template <class Held>
class Inbox {
 public:
  static constexpr std::size_t kTogether = 64;  // samples that wait before they are looked at

  explicit Inbox(const InboxOptions& options) : options_(options) {
    usual_.kind = options.kind;
    usual_.may_have_no_time = options.kind == PieceKind::kBlocks || options.rate > 0;
  }

  PieceKind kind() const noexcept { return options_.kind; }

  // Arrays of this type and shape are usual from now on; pieces of them have `held`. The shape has an axis.
  void expect(const void* type, std::vector<std::ptrdiff_t> shape, Held held) {
    const std::lock_guard lock(mutex_);
    usual_.type = type;
    usual_.shape = std::move(shape);
    std::swap(held_, held);
  }

  // Copies a usual piece. `fix(held)` says of a frame whether nobody can change it, and then puts it there:
  // it is not copied.
  template <class Fix>
  Answer push(const Fields& array, const Moment& time, double arrived, const Fix& fix) {
    std::optional<Pushed> found;
    Piece<Held> piece;
    {
      const std::lock_guard lock(mutex_);
      found = closed_ ? std::nullopt : usual_.look(array, time);
      if (!found || (options_.keep == Keep::kAll && !has_room_for(found->bytes()))) {
        return Answer::kUnusual;
      }
      piece = begun(*found, arrived);
    }
    piece.is_fixed = options_.kind == PieceKind::kFrames && fix(piece.held);
    if (!piece.is_fixed) {
      piece.block = copied(*found);
    }
    const std::optional<double> newest = piece.newest;
    std::vector<Piece<Held>> dropped;  // freed without the mutex
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return Answer::kUnusual;
    }
    piece.seconds = seconds_of(piece);
    add(std::move(piece), dropped);
    const bool waits =
        options_.kind == PieceKind::kSamples && waiting_.size() < kTogether && !(newest && *newest >= due_);
    return waits ? Answer::kTaken : Answer::kDue;
  }

  // Adds a piece that is made elsewhere. False: the inbox is closed.
  bool put(Held held, std::size_t bytes, double seconds) {
    Piece<Held> piece = made(std::move(held), bytes, seconds);
    std::vector<Piece<Held>> dropped;
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return false;
    }
    add(std::move(piece), dropped);
    return true;
  }

  // Puts what was just taken before all others.
  void put_back(Held held, std::size_t bytes, double seconds) {
    Piece<Held> piece = made(std::move(held), bytes, seconds);
    const std::lock_guard lock(mutex_);
    count(piece, 1);
    waiting_.push_front(std::move(piece));
  }

  // What waits longest.
  std::optional<Piece<Held>> take() {
    const std::lock_guard lock(mutex_);
    return pop();
  }

  // Whether provide() should be called for the next pieces like this one.
  bool wants_memory(const Piece<Held>& piece) const {
    {
      const std::lock_guard lock(mutex_);
      if (piece.is_fixed || piece.bytes < kLarge || usual_.type == nullptr) {
        return false;
      }
    }
    return !memory_->provides(piece.bytes, kReady);
  }
  void provide(const Piece<Held>& piece) { memory_->provide(piece.bytes, kReady); }

  // Seconds by which the signal grows with a piece whose newest time is this.
  double grow(double newest) {
    const std::lock_guard lock(mutex_);
    return grown(newest);
  }
  // Whether a piece of so many bytes may wait too; one alone always may.
  bool has_room(std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    return has_room_for(bytes);
  }
  // Nothing is taken any more.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // The time of a sample that is to be looked at; earlier ones may wait.
  void set_due(double due) {
    const std::lock_guard lock(mutex_);
    due_ = due;
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

 private:
  static constexpr std::size_t kMostKept = 8 << 20;  // bytes that nobody has, for pieces to come
  static constexpr std::size_t kLarge = 64 << 10;    // bytes of a piece for which memory is made ready
  static constexpr std::size_t kReady = 2;           // blocks that are ready then

  static Piece<Held> made(Held held, std::size_t bytes, double seconds) {
    Piece<Held> piece;
    piece.held = std::move(held);
    piece.bytes = bytes;
    piece.seconds = std::isfinite(seconds) ? seconds : 0;
    return piece;
  }

  // The times of samples stand before their numbers.
  Block copied(const Pushed& found) const {
    Block block = memory_->take(found.bytes());
    if (found.time_bytes > 0) {
      std::memcpy(block.data(), found.times == nullptr ? &*found.time : found.times, found.time_bytes);
    }
    copy(found.rows, block.data() + found.time_bytes);
    return block;
  }

  // What follows is called with the mutex held.

  Piece<Held> begun(const Pushed& found, double arrived) const {
    Piece<Held> piece;
    piece.held = held_;
    piece.shape = usual_.shape;
    if (options_.kind != PieceKind::kFrames) {
      piece.shape.back() = found.count;
    }
    piece.count = found.count;
    piece.time = found.time;
    piece.newest = found.newest;
    piece.arrived = arrived;
    piece.bytes = found.bytes();
    return piece;
  }

  double seconds_of(const Piece<Held>& piece) {
    if (options_.kind == PieceKind::kBlocks) {
      return static_cast<double>(piece.count) / options_.rate;
    }
    return piece.newest ? grown(*piece.newest) : 1 / options_.rate;
  }

  double grown(double newest) {
    if (!std::isfinite(newest)) {
      return 0;
    }
    const double last = newest_.value_or(newest);
    // Two sensors' samples come in turns, each with times of its own.
    newest_ = options_.kind == PieceKind::kSamples ? std::max(newest, last) : newest;
    return std::max(newest - last, 0.0);
  }

  bool has_room_for(std::size_t bytes) const {
    return waiting_.empty() || bytes_ + bytes <= options_.most_bytes;
  }

  void add(Piece<Held> piece, std::vector<Piece<Held>>& dropped) {
    while (options_.keep != Keep::kAll && !waiting_.empty() &&
           (options_.keep == Keep::kNewest || !has_room_for(piece.bytes))) {
      dropped.push_back(std::move(*pop()));
      ++dropped_;
    }
    count(piece, 1);
    waiting_.push_back(std::move(piece));
    ++pushed_;
  }

  std::optional<Piece<Held>> pop() {
    if (waiting_.empty()) {
      return std::nullopt;
    }
    std::optional<Piece<Held>> found(std::move(waiting_.front()));
    waiting_.pop_front();
    count(*found, -1);
    return found;
  }

  void count(const Piece<Held>& piece, int times) {
    bytes_ += times > 0 ? piece.bytes : -piece.bytes;
    seconds_ = waiting_.empty() && times < 0 ? 0 : seconds_ + times * piece.seconds;  // no rest of rounding
  }

  const InboxOptions options_;
  const std::shared_ptr<Memory> memory_ = Memory::make(kMostKept);

  mutable std::mutex mutex_;  // guards what follows
  Usual usual_;
  Held held_{};  // of usual pieces
  std::deque<Piece<Held>> waiting_;
  std::optional<double> newest_;
  std::size_t bytes_ = 0;  // that wait
  double seconds_ = 0;     // so too
  double due_ = -std::numeric_limits<double>::infinity();
  std::int64_t pushed_ = 0, dropped_ = 0;
  bool closed_ = false;
};

}  // namespace bindrt::live
