// Results into Python's futures (runtime/bindrt/pipeline/futures.py), and threads that wait for them.
#pragma once

#include <pybind11/pybind11.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "csrc/pipeline/request.h"

namespace bindrt {

// Threads that wait for one request. They are woken when the GIL is free again: woken under it, as by a
// Python condition, they would sleep once more, for the GIL.
class Waiters {
 public:
  void open();
  bool wait(pipeline::Time until);  // whether it is open

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool open_ = false;
};

// Those of one request: made when somebody first waits, until it is delivered.
class LateWaiters {
 public:
  std::shared_ptr<Waiters> wanted();      // null: it was delivered
  std::shared_ptr<Waiters> made() const;  // null: nobody waits
  std::shared_ptr<Waiters> end();         // it is delivered; null: nobody waits

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Waiters> made_;
  bool ended_ = false;
};

// Sets the result of an EmbeddingFuture that is pending and has no condition yet. The GIL is held and no
// Python code runs in between, so this needs no lock. False: Python's methods must do it; always so where
// there is no GIL.
bool settle(pybind11::handle future, pybind11::handle vector);

// What preparation found about the item.
void set_notes(pybind11::handle future, pybind11::handle notes);

// The request that an EmbeddingFuture stands for, to cancel it and to wait for it.
void set_request(pybind11::handle future, pybind11::handle request);

}  // namespace bindrt
