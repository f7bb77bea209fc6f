// A linear layer of an encoder, over all rows of a batch.
#pragma once

#include <string>
#include <vector>

#include "csrc/native/encoder/packing.h"
#include "csrc/native/encoder/reader.h"
#include "csrc/native/ops/rows.h"
#include "csrc/native/team.h"

namespace bindrt::native {

class Linear {
 public:
  Linear() = default;
  // X.weight [inputs, outputs] with X.bias, or X.weight.int8; `numbers` are the encoder's. kAny for a size
  // that the tensor says.
  static Linear make(const Reader& reader, Packing& packing, const std::string& name, std::int64_t inputs,
                     std::int64_t outputs, Numbers numbers);
  // A convolution's weight [outputs, ...] as a linear of `inputs`, without bias.
  static Linear make_convolution(const Reader& reader, Packing& packing, const std::string& name,
                                 const std::vector<std::int64_t>& shape, Numbers numbers);

  Numbers numbers() const { return weight_.numbers; }
  std::int64_t inputs() const { return weight_.inputs; }
  std::int64_t outputs() const { return weight_.outputs; }

  // Bytes from row to row of the activations that this layer reads.
  std::int64_t stride() const;
  // Where they are to be written, in memory for as many rows.
  RowsOut activations(void* memory, float* steps) const;

  // Rows of activations() to `target`; all members call it.
  void run(Member& member, const RowsOut& rows_in, std::int64_t rows, const Target& target) const;

 private:
  PackedWeight view() const;

  PackedWeight weight_;  // without what stands in the vectors
  std::vector<float> bias_;
  std::vector<float> scale_;
  float step_ = 0.0F;
};

// Bytes from row to row: whole lines of a cache, an odd number of them, so that rows fall into different
// sets.
constexpr std::int64_t row_bytes(std::int64_t bytes) { return ((bytes + 63) / 64 | 1) * 64; }

}  // namespace bindrt::native
