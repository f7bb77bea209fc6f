// Weights into memory of a PackedStore: asked for one after the other, packed all at once by the team.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "csrc/native/encoder.h"
#include "csrc/native/product/product.h"

namespace bindrt::native {

class Packing {
 public:
  explicit Packing(std::shared_ptr<PackedStore> store) : store_(std::move(store)) {}

  // Where the packed weight, and for int8 its sums, will be once finish() has run. `weight` stays until then.
  PackedWeight add(Stored stored, const void* weight, std::int64_t inputs, std::int64_t outputs,
                   Numbers numbers);
  // As a convolution has it: [outputs, inputs].
  PackedWeight add_transposed(const std::vector<float>& weight, std::int64_t inputs, std::int64_t outputs,
                              Numbers numbers);
  void finish(int threads);

 private:
  struct Job {
    Stored stored;
    const void* weight;
    std::int64_t inputs;
    std::int64_t outputs;
    Numbers numbers;
    std::uint8_t* data;
    std::int32_t* sums;
  };

  std::shared_ptr<PackedStore> store_;
  std::vector<Job> jobs_;
  std::vector<std::unique_ptr<float[]>> turned_;
};

}  // namespace bindrt::native
