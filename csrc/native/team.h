// The threads of the native engine: one team for the whole process, which computes one program at a time.
//
// A program is run by all members at once; its loops share out pieces, and a loop ends when every piece is
// done. Between two pieces a member begins a waiting program of higher priority first, so a text does not
// wait for a batch of images, only for one of its pieces.
//
// A member may come late and find loops that are done already. What it computes between loops must therefore
// be its own, and not depend on memory that later loops write. What lies in memory of the thread may be
// changed by another program while a loop runs, but not while a piece does.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>

namespace bindrt::native {

class Crew;  // the members that run one program

using LoopBody = void (*)(void* context, std::int64_t begin, std::int64_t end);

// What one member has in hand while it runs a program.
class Member {
 public:
  int number() const noexcept { return number_; }  // 0 is the first
  int members() const noexcept;                    // the most that there can be

  // All members come here with equal arguments; pieces [begin, end) of at most `grain` that cover [0, count)
  // are taken by whoever is free. Returns on every member when all pieces are done.
  template <class Body>
  void loop(std::int64_t count, std::int64_t grain, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    loop_over(
        count, grain,
        [](void* context, std::int64_t begin, std::int64_t end) {
          (*static_cast<Plain*>(context))(begin, end);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  friend class Crew;
  void loop_over(std::int64_t count, std::int64_t grain, LoopBody body, void* context) noexcept;
  Crew* crew_ = nullptr;
  int number_ = 0;
  std::int64_t behind_ = 0;  // pieces of the loops it has come to
};

// Runs `program` on every member of a crew of up to `threads` threads (as many as the team can have; at least
// one, the caller may be it) and returns when all are done. Programs of higher priority go first, equal ones
// in the order of their calls; threads that the first does not take begin the next. Where the priority is
// negative the caller does not compute: the operating system may run it seldom. `program` must not throw, and
// must not call this. After a fork the child has a team of its own.
void run_on_team(int threads, int priority, const std::function<void(Member&)>& program);

// Starts the team's threads, which else start when they are first needed: a thread has the priority in the
// operating system of the thread that starts it.
void start_team();

// Threads the team may have at most: usable cores within the container's quota.
int team_threads() noexcept;

}  // namespace bindrt::native
