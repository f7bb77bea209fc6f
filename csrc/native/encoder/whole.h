// The encoder as a whole; beside encoder.h it tells where the time goes.
#pragma once

#include "csrc/native/encoder/forward.h"

namespace bindrt::native {

class WholeEncoder final : public Encoder {
 public:
  WholeEncoder(const EncoderConfig& config, const Tensors& tensors, Numbers numbers,
               std::shared_ptr<PackedStore> store, int threads);

  std::int64_t out() const override { return parts_.projection.outputs(); }
  void run(const void* input, std::int64_t rows, std::int64_t length, float* output, int priority) override {
    run_timed(input, rows, length, output, priority, nullptr);
  }
  // Adds to `times` unless it is null.
  void run_timed(const void* input, std::int64_t rows, std::int64_t length, float* output, int priority,
                 PhaseTimes* times);

 private:
  std::int64_t together() const;

  std::shared_ptr<PackedStore> store_;
  Parts parts_;
  int threads_;
  Workspaces workspaces_;
};

}  // namespace bindrt::native
