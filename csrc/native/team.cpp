// One list of programs, the highest priority first. A free thread joins the first program that has room; a
// thread at work looks between two pieces whether one of higher priority has.
#include "csrc/native/team.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "csrc/native/cores.h"
#include "csrc/native/waiting.h"

namespace bindrt::native {
namespace {

using std::chrono::microseconds;

constexpr int kNobody = std::numeric_limits<int>::min();  // the priority that no program has
constexpr int kDeepest = 8;                               // programs that one thread may have begun
constexpr std::int64_t kMostPieces = std::int64_t{1} << 40;

// A loop's last piece may take a millisecond, and the next loop comes at once.
constexpr Patience kAtBorder{microseconds(30), microseconds(300)};
constexpr Patience kBetweenPrograms{microseconds(30), microseconds(30)};

thread_local int depth = 0;  // programs that this thread has begun and not ended

}  // namespace

// A program, from the call until all members have left it. What the team's mutex guards stands first.
class Crew {
 public:
  Crew(int threads, int its_priority, const std::function<void(Member&)>& its_program)
      : limit(threads), priority(its_priority), program(its_program) {}

  bool has_room() const noexcept { return !over && joined < limit; }
  bool done() const noexcept { return over && inside == 0; }

  const int limit;
  const int priority;
  const std::function<void(Member&)>& program;
  Crew* next = nullptr;  // in the team's list
  int joined = 0;
  int inside = 0;
  bool over = false;  // a member has come to its end, so all pieces are done

  std::atomic<std::uint32_t> calls{0};  // for whoever called: it is done, or there is a place for him
  Bell caller;

  // Pieces of all loops are counted on and on. Members know by their own count where their loop begins, so
  // one that comes late finds its loop done and goes on to the next.
  alignas(64) std::atomic<std::int64_t> taken{0};
  alignas(64) std::atomic<std::int64_t> finished{0};
  Bell border;

  void run(int number) noexcept {
    Member member;
    member.crew_ = this;
    member.number_ = number;
    ++depth;
    program(member);
    --depth;
  }
};

namespace {

class Team {
 public:
  Team() : size_(usable_threads()) {}

  int size() const noexcept { return size_; }
  // The highest priority among programs that have room.
  int wanted() const noexcept { return wanted_.load(std::memory_order_seq_cst); }

  void run(int threads, int priority, const std::function<void(Member&)>& program) {
    Crew crew(std::clamp(threads, 1, size_), priority, program);
    std::unique_lock<std::mutex> lock(mutex_);
    insert(&crew);
    start(priority < 0 ? crew.limit : crew.limit - 1);
    const bool computes = priority >= 0 || started_ == 0;
    look_again();
    interrupt(priority);
    call_free();
    while (!crew.done()) {
      if (computes && active_ < size_ && first_with_room() == &crew) {
        work(&crew, lock);
      } else {
        wait_for_call(&crew, lock);
      }
    }
    remove(&crew);
  }

  void start_all() {
    const std::lock_guard<std::mutex> lock(mutex_);
    start(size_);
  }

  // Between two pieces of a program of this priority: those of higher priority first.
  void attend(int priority) noexcept {
    std::unique_lock<std::mutex> lock(mutex_);
    for (Crew* crew = first_with_room(); crew != nullptr && crew->priority > priority;
         crew = first_with_room()) {
      join(crew, lock);
    }
  }

 private:
  // All below are called with the mutex held.

  void insert(Crew* crew) noexcept {
    Crew** at = &first_;
    while (*at != nullptr && (*at)->priority >= crew->priority) {
      at = &(*at)->next;
    }
    crew->next = *at;
    *at = crew;
  }

  void remove(Crew* crew) noexcept {
    Crew** at = &first_;
    while (*at != crew) {
      at = &(*at)->next;
    }
    *at = crew->next;
  }

  Crew* first_with_room() const noexcept {
    Crew* crew = first_;
    while (crew != nullptr && !crew->has_room()) {
      crew = crew->next;
    }
    return crew;
  }

  void look_again() noexcept {
    const Crew* crew = first_with_room();
    wanted_.store(crew == nullptr ? kNobody : crew->priority, std::memory_order_seq_cst);
  }

  // Wakes those who wait for a piece of a program of lower priority.
  void interrupt(int priority) noexcept {
    for (Crew* crew = first_; crew != nullptr; crew = crew->next) {
      if (crew->priority < priority) {
        crew->border.ring();
      }
    }
  }

  // Tells free threads of the programs that have room.
  void call_free() noexcept {
    Crew* first = first_with_room();
    int places = 0;
    for (const Crew* crew = first; crew != nullptr; crew = crew->next) {
      places += crew->has_room() ? crew->limit - crew->joined : 0;
    }
    places = std::min(places, size_ - active_);
    if (places <= 0) {
      return;
    }
    if (places > free_) {
      first->calls.fetch_add(1, std::memory_order_seq_cst);
      first->caller.ring();
    }
    news_.fetch_add(1, std::memory_order_seq_cst);
    const int awake = free_ - bell_.sleepers();  // they see the news without a bell
    if (places - awake == 1) {
      bell_.ring_one();
    } else if (places > awake) {
      bell_.ring();
    }
  }

  // Runs the program on this thread, without the mutex.
  void join(Crew* crew, std::unique_lock<std::mutex>& lock) noexcept {
    const int number = crew->joined++;
    ++crew->inside;
    look_again();
    if (!crew->has_room()) {
      call_free();  // those behind it
    }
    lock.unlock();
    crew->run(number);
    lock.lock();
    crew->over = true;
    look_again();
    if (--crew->inside == 0) {
      crew->calls.fetch_add(1, std::memory_order_seq_cst);
      crew->caller.ring();  // with the mutex held, so that it is still there
    }
  }

  // As join, on a thread that has no other program.
  void work(Crew* crew, std::unique_lock<std::mutex>& lock) noexcept {
    ++active_;
    join(crew, lock);
    --active_;
    call_free();
  }

  void wait_for_call(Crew* crew, std::unique_lock<std::mutex>& lock) noexcept {
    const std::uint32_t seen = crew->calls.load(std::memory_order_seq_cst);
    const bool cores_free = active_ < size_;
    lock.unlock();
    const auto called = [crew, seen] { return crew->calls.load(std::memory_order_seq_cst) != seen; };
    if (!cores_free || !came_soon(kBetweenPrograms, called)) {
      crew->caller.sleep_until(called);
    }
    lock.lock();
  }

  // Starts threads until there are so many; the system may have fewer.
  void start(int wanted) noexcept {
    while (started_ < wanted) {
      try {
        std::thread(&Team::serve, this).detach();
      } catch (const std::system_error&) {
        return;
      }
      ++started_;
    }
  }

  void serve() noexcept {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      Crew* crew = active_ < size_ ? first_with_room() : nullptr;
      if (crew != nullptr) {
        work(crew, lock);
        continue;
      }
      const std::uint32_t seen = news_.load(std::memory_order_seq_cst);
      ++free_;
      lock.unlock();
      const auto told = [this, seen] { return news_.load(std::memory_order_seq_cst) != seen; };
      if (!came_soon(kBetweenPrograms, told)) {
        bell_.sleep_until(told);
      }
      lock.lock();
      --free_;
    }
  }

  const int size_;
  std::mutex mutex_;  // guards what follows, and the first part of each crew
  Crew* first_ = nullptr;
  int started_ = 0;
  int active_ = 0;  // threads in programs, each once
  int free_ = 0;    // threads of the team that wait for a program
  std::atomic<int> wanted_{kNobody};
  std::atomic<std::uint32_t> news_{0};
  Bell bell_;
};

Team* team = nullptr;  // leaked: its threads may outlive static destructors
std::once_flag made;

// A child process has none of the threads, and the mutex may be held by them for ever.
void after_fork_in_child() noexcept {
  depth = 0;
  team = new (std::nothrow) Team;
}

Team& the_team() {
  std::call_once(made, [] {
    team = new Team;
    pthread_atfork(nullptr, nullptr, &after_fork_in_child);
  });
  if (team == nullptr) {
    throw std::bad_alloc();
  }
  return *team;
}

}  // namespace

int Member::members() const noexcept { return crew_->limit; }

void Member::loop_over(std::int64_t count, std::int64_t grain, LoopBody body, void* context) noexcept {
  if (count <= 0) {
    return;
  }
  grain = std::max<std::int64_t>(grain, (count + kMostPieces - 1) / kMostPieces);
  Crew& crew = *crew_;
  const bool may_leave = depth < kDeepest;
  const std::int64_t first = behind_;
  const std::int64_t end = first + (count + grain - 1) / grain;
  behind_ = end;
  std::int64_t piece = crew.taken.load(std::memory_order_relaxed);
  while (piece < end) {
    if (may_leave && team->wanted() > crew.priority) {
      team->attend(crew.priority);
      piece = crew.taken.load(std::memory_order_relaxed);
    } else if (crew.taken.compare_exchange_weak(piece, piece + 1, std::memory_order_relaxed)) {
      const std::int64_t begin = (piece - first) * grain;
      body(context, begin, std::min(begin + grain, count));
      if (crew.finished.fetch_add(1, std::memory_order_seq_cst) + 1 == end) {
        crew.border.ring();
      }
      piece = crew.taken.load(std::memory_order_relaxed);
    }
  }
  const auto done = [&crew, end] { return crew.finished.load(std::memory_order_seq_cst) >= end; };
  const auto wanted = [&crew, may_leave] { return may_leave && team->wanted() > crew.priority; };
  const auto either = [&] { return done() || wanted(); };
  while (!done()) {
    if (!came_soon(kAtBorder, either)) {
      crew.border.sleep_until(either);
    }
    if (!done() && wanted()) {
      team->attend(crew.priority);
    }
  }
}

void run_on_team(int threads, int priority, const std::function<void(Member&)>& program) {
  the_team().run(threads, priority, program);
}

void start_team() { the_team().start_all(); }

int team_threads() noexcept {
  static const int size = usable_threads();
  return size;
}

}  // namespace bindrt::native
