// From named tensors to an encoder's parts.
#include "csrc/native/encoder/parts.h"

#include <algorithm>
#include <stdexcept>

namespace bindrt::native {
namespace {

using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kMostSize = std::int64_t{1} << 24;  // of an axis of a view

Patches::Sizes three(const Shape& sizes, std::size_t from) {
  Patches::Sizes result{1, 1, 1};
  const std::size_t axes = sizes.size() - from;
  std::copy(sizes.begin() + static_cast<std::ptrdiff_t>(from), sizes.end(),
            result.begin() + static_cast<std::ptrdiff_t>(3 - axes));
  return result;
}

Patches patches_of(const EncoderConfig& config) {
  const std::size_t axes = config.kernel.size();
  if (axes > 3 || config.stride.size() != axes || config.view.size() != axes + 1) {
    throw std::invalid_argument("kernel, stride and view: do not have the same axes");
  }
  for (const Shape* sizes : {&config.view, &config.kernel, &config.stride}) {
    for (const std::int64_t size : *sizes) {
      if (size < 1 || size > kMostSize) {
        throw std::invalid_argument("kernel, stride and view: sizes must be 1 to " +
                                    std::to_string(kMostSize));
      }
    }
  }
  Patches patches;
  patches.channels = config.view[0];
  patches.input = three(config.view, 1);
  patches.kernel = three(config.kernel, 0);
  patches.stride = three(config.stride, 0);
  for (std::size_t i = 0; i < 3; ++i) {
    if (patches.kernel[i] > patches.input[i]) {
      throw std::invalid_argument("kernel: a patch is larger than the view");
    }
    patches.count[i] = (patches.input[i] - patches.kernel[i]) / patches.stride[i] + 1;
  }
  return patches;
}

class Maker {
 public:
  Maker(const EncoderConfig& config, const Tensors& tensors, Numbers numbers,
        std::shared_ptr<PackedStore> store)
      : reader_(tensors), packing_(std::move(store)) {
    parts_.config = config;
    parts_.numbers = numbers;
  }

  Parts make(int threads) {
    const Shape position{1, kAny, kAny};
    const Tensor& positions = reader_.floats("stem.position", position);
    parts_.width = positions.shape[2];
    if (parts_.config.heads < 1 || parts_.width % parts_.config.heads != 0) {
      throw std::invalid_argument("heads: do not divide the width " + std::to_string(parts_.width));
    }
    parts_.stem.positions = positions.shape[1];
    parts_.stem.position = to_floats(positions);
    if (parts_.config.reads_tokens()) {
      parts_.stem.table = reader_.floats("stem.tokens.weight", {kAny, parts_.width});
    } else {
      patch_stem();
    }
    parts_.pre_norm = norm("pre_norm", parts_.config.eps, false);
    std::size_t depth = 0;
    while (reader_.find(block_name(depth) + "norm_1.weight") != nullptr) {
      ++depth;
    }
    if (depth == 0) {
      throw std::invalid_argument("blocks.0.norm_1.weight: missing");
    }
    for (std::size_t i = 0; i < depth; ++i) {
      parts_.blocks.push_back(block(block_name(i), i + 1 == depth));
    }
    parts_.norm = norm("norm", parts_.config.eps, true);
    parts_.projection = linear("projection", parts_.width, kAny);
    packing_.finish(threads);
    return std::move(parts_);
  }

 private:
  static std::string block_name(std::size_t i) { return "blocks." + std::to_string(i) + "."; }

  Linear linear(const std::string& name, std::int64_t inputs, std::int64_t outputs) {
    return Linear::make(reader_, packing_, name, inputs, outputs, parts_.numbers);
  }

  NormWeights norm(const std::string& name, float eps, bool required) const {
    const Shape shape{parts_.width};
    NormWeights result;
    result.weight =
        required ? reader_.numbers(name + ".weight", shape) : reader_.optional(name + ".weight", shape);
    result.bias = reader_.optional(name + ".bias", shape);
    result.eps = eps;
    return result;
  }

  void patch_stem() {
    Stem& stem = parts_.stem;
    stem.patches = patches_of(parts_.config);
    if (stem.patches.all() + 1 != stem.positions) {
      throw std::invalid_argument("stem.position: has " + std::to_string(stem.positions) + " rows, not " +
                                  std::to_string(stem.patches.all() + 1));
    }
    const std::string product = "stem.patch.product";
    const std::int64_t numbers = stem.patches.numbers();
    if (reader_.find(product + ".weight") != nullptr ||
        reader_.exactly(product + ".weight.int8") != nullptr) {
      stem.patch = linear(product, numbers, parts_.width);
    } else if (parts_.config.kernel.size() == 1) {
      stem.patch = linear("stem.patch", numbers, parts_.width);
    } else {
      Shape shape{parts_.width, stem.patches.channels};
      shape.insert(shape.end(), parts_.config.kernel.begin(), parts_.config.kernel.end());
      stem.patch = Linear::make_convolution(reader_, packing_, "stem.patch", shape, parts_.numbers);
    }
    stem.norm = norm("stem.norm", parts_.config.stem_eps, false);
    stem.class_token = reader_.numbers("stem.class_token", {1, 1, parts_.width});
  }

  BiasRow bias_row(const std::string& name) const {
    const std::int64_t heads = parts_.config.heads;
    BiasRow row;
    row.floats = reader_.optional(name, {1, heads, 1, parts_.width / heads});
    if (parts_.bf16()) {
      std::transform(row.floats.begin(), row.floats.end(), std::back_inserter(row.bf16),
                     [](float number) { return to_bf16(number); });
      row.floats.clear();
    }
    return row;
  }

  Block block(const std::string& name, bool last) {
    const std::int64_t width = parts_.width;
    Block block;
    block.norm_1 = norm(name + "norm_1", parts_.config.eps, true);
    if (last) {
      block.query = linear(name + "attention.query", width, width);
      block.qkv = linear(name + "attention.key_value", width, 2 * width);
    } else {
      block.qkv = linear(name + "attention.qkv", width, 3 * width);
    }
    block.bias_key = bias_row(name + "attention.bias_key");
    block.bias_value = bias_row(name + "attention.bias_value");
    if ((block.bias_key.data() == nullptr) != (block.bias_value.data() == nullptr)) {
      throw std::invalid_argument(name + "attention: has one of bias_key and bias_value");
    }
    block.out = linear(name + "attention.out", width, width);
    block.norm_2 = norm(name + "norm_2", parts_.config.eps, true);
    block.up = linear(name + "mlp.up", width, kAny);
    block.down = linear(name + "mlp.down", block.up.outputs(), width);
    return block;
  }

  Reader reader_;
  Packing packing_;
  Parts parts_;
};

}  // namespace

Parts make_parts(const EncoderConfig& config, const Tensors& tensors, Numbers numbers,
                 std::shared_ptr<PackedStore> store, int threads) {
  return Maker(config, tensors, numbers, std::move(store)).make(threads);
}

}  // namespace bindrt::native
