// Threads that decode and preprocess, shared by all models of a process.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "csrc/pipeline/request.h"

namespace bindrt::pipeline {

// Somebody with work for them.
class WorkSource {
 public:
  virtual ~WorkSource() = default;
  // Does one piece of work; false if there is none.
  virtual bool work() = 0;
  // Does what is due by now but begins no piece of work; false if nothing is.
  virtual bool look() { return false; }
  // When to ask again though nobody called notify(); Time::max(): never.
  virtual Time next_alarm() = 0;
};

// Sources share the threads' time, not their turns: a text waits for one video, not for one a text.
class Workers {
 public:
  // A process that forked keeps its child's copy for ever: threads and locks of the parent cannot be ended.
  static std::shared_ptr<Workers> make(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void add(WorkSource* source);
  void remove(WorkSource* source);  // returns when no thread is in it any more; not from one of the threads
  void notify();                    // a source has work

  // An engine computes on so many cores until it gives them back. Meanwhile as many threads fewer, but at
  // least one, begin a piece of work, so that no more threads compute than there are cores.
  void lend(int cores);
  void take_back(int cores);

  // While it lives its thread waits for a device and computes nothing: another thread may begin a piece of
  // work, and is started if there is none.
  class Waiting {
   public:
    explicit Waiting(Workers& workers) : workers_(workers) { workers_.begin_wait(); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { workers_.end_wait(); }

   private:
    Workers& workers_;
  };

 private:
  explicit Workers(int threads);
  void loop();
  bool work_once(std::unique_lock<std::mutex>& lock);
  bool may_begin() const noexcept;
  void begin_wait();
  void end_wait();

  const pid_t process_;
  const int size_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable left_;
  struct Listed {
    WorkSource* source;
    int inside = 0;           // threads that are in its work()
    Clock::duration used{0};  // time of the threads that it had, or could have had while it wanted none
    bool removed = false;
  };
  std::vector<std::shared_ptr<Listed>> sources_;
  std::size_t turn_ = 0;
  // What every source has had or could have had: a source that starts late cannot claim time from before it
  // existed.
  Clock::duration due_{0};
  std::uint64_t news_ = 0;  // calls of notify and take_back
  int working_ = 0;         // threads that may have begun a piece of work
  int waiting_ = 0;         // threads that wait for a device
  int lent_ = 0;            // cores
  bool refused_ = false;    // a thread looked for work and might not begin any
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace bindrt::pipeline
