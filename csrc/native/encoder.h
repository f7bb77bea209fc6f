// An encoder: from inputs as preprocessing makes them to vectors, the whole in one call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "csrc/native/numbers.h"

namespace bindrt::native {

// What a bundle's graph says of an encoder. Everything else follows from the tensors' shapes.
struct EncoderConfig {
  std::int64_t heads = 1;
  float eps = 1e-6F;               // of the norms in the trunk and the head
  float stem_eps = 1e-5F;          // of the norm after the patches
  float scale = 1.0F;              // after the division by the length
  std::vector<std::int64_t> view;  // one input without the batch, e.g. {3, 2, 224, 224}; {77} for token ids
  std::vector<std::int64_t>
      kernel;  // patch along the view's axes after channels; {8} for samples; {} for ids
  std::vector<std::int64_t> stride;  // likewise
  bool reads_tokens() const { return kernel.empty(); }
};

// A tensor of the bundle, mapped or in memory; it stays while the encoder is made, and longer where the
// encoder says so. Data is aligned to 64 bytes and has the bytes of its shape: the caller has checked.
struct Tensor {
  Stored stored = Stored::kFloat32;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;
};

// By the names of the bundle's graphs: stem.position, blocks.0.attention.qkv.weight, …
// A linear X is X.weight (any float type), or X.weight.int8 with X.weight.scale, and X.step if its
// activations' range is fixed. The last block has query and key_value instead of qkv. Other tensors in half
// precision have the suffix .half.
using Tensors = std::map<std::string, Tensor>;

// Memory for packed weights: a file of the cache folder, mapped, or plain memory.
class PackedStore {
 public:
  virtual ~PackedStore() = default;
  // `bytes` of memory aligned to 64. Called in the same order and with the same sizes whenever the same
  // encoder is made with the same numbers.
  virtual void* take(std::int64_t bytes) = 0;
  virtual bool filled() const = 0;  // what take() gives already holds what was written there once
};

class Encoder {
 public:
  // Throws std::invalid_argument naming the tensor that is missing or has the wrong shape. The table of
  // tokens is read where it lies: its memory must outlive the encoder. All else is packed or copied.
  static std::unique_ptr<Encoder> make(const EncoderConfig& config, const Tensors& tensors, Numbers numbers,
                                       std::shared_ptr<PackedStore> store, int threads);
  virtual ~Encoder() = default;
  virtual std::int64_t out() const = 0;  // length of a vector
  // `input`: [rows, view] of float32; or int64 ids [rows, length], each cut behind its first largest id.
  // `output`: float32 [rows, out]. Several threads may call it at once. Throws std::bad_alloc, or
  // std::invalid_argument for an id outside the table.
  virtual void run(const void* input, std::int64_t rows, std::int64_t length, float* output,
                   int priority) = 0;
};

}  // namespace bindrt::native
