// The parts of an encoder: what its tensors are for. Made once, read by every call.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "csrc/native/encoder.h"
#include "csrc/native/encoder/linear.h"
#include "csrc/native/ops/rows.h"

namespace bindrt::native {

struct NormWeights {
  std::vector<float> weight;  // empty: no norm here
  std::vector<float> bias;
  float eps = 0.0F;

  bool there() const { return !weight.empty(); }
  Norm view() const { return {weight.data(), bias.empty() ? nullptr : bias.data(), eps}; }
};

// How an input is cut into patches: channels, then three axes, of which the first may be 1.
struct Patches {
  using Sizes = std::array<std::int64_t, 3>;

  std::int64_t channels = 0;
  Sizes input{};
  Sizes kernel{};
  Sizes stride{};
  Sizes count{};

  std::int64_t numbers() const { return channels * kernel[0] * kernel[1] * kernel[2]; }
  std::int64_t all() const { return count[0] * count[1] * count[2]; }
  std::int64_t input_numbers() const { return channels * input[0] * input[1] * input[2]; }
};

struct Stem {
  // Token ids.
  Tensor table;  // [vocabulary, width], where it is
  // Everything else.
  Patches patches;
  Linear patch;
  NormWeights norm;
  std::vector<float> class_token;
  // Both.
  std::int64_t positions = 0;
  std::vector<float> position;  // [positions, width]
};

// One row of keys and of values, in the type of qkv.
struct BiasRow {
  std::vector<float> floats;
  std::vector<std::uint16_t> bf16;

  const void* data() const {
    return !floats.empty() ? static_cast<const void*>(floats.data())
                           : (bf16.empty() ? nullptr : static_cast<const void*>(bf16.data()));
  }
};

struct Block {
  NormWeights norm_1;
  Linear qkv;    // in the last block: keys and values
  Linear query;  // in the last block only
  BiasRow bias_key;
  BiasRow bias_value;
  Linear out;
  NormWeights norm_2;
  Linear up;
  Linear down;
};

struct Parts {
  EncoderConfig config;
  Numbers numbers = Numbers::kFloat32;
  std::int64_t width = 0;
  Stem stem;
  NormWeights pre_norm;
  std::vector<Block> blocks;  // the last one works on the pooled rows
  NormWeights norm;
  Linear projection;

  bool bf16() const { return numbers != Numbers::kFloat32; }  // qkv, attention, hidden
  std::int64_t head_width() const { return width / config.heads; }
  std::int64_t most_tokens() const { return stem.positions; }
};

// Throws std::invalid_argument naming what is wrong. Weights are packed when this returns.
Parts make_parts(const EncoderConfig& config, const Tensors& tensors, Numbers numbers,
                 std::shared_ptr<PackedStore> store, int threads);

}  // namespace bindrt::native
