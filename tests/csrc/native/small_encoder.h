// Small encoders of every kind with random tensors, and what they should give, in float64.
#pragma once

#include <cmath>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "csrc/native/encoder.h"

namespace bindrt::testing {

using native::EncoderConfig;
using native::Numbers;
using native::Stored;
using native::Tensor;
using native::Tensors;

enum class Kind { kVision, kAudio, kSamples, kTexts, kPicture };
inline constexpr Kind kKinds[] = {Kind::kVision, Kind::kAudio, Kind::kSamples, Kind::kTexts, Kind::kPicture};

// Packed weights in plain memory, which a second encoder may find filled.
class Memory final : public native::PackedStore {
 public:
  void* take(std::int64_t bytes) override {
    if (at_ == blocks_.size()) {
      void* const block = ::operator new(static_cast<std::size_t>(bytes), std::align_val_t{64});
      blocks_.emplace_back(block, Free());
      sizes_.push_back(bytes);
    }
    same_ = same_ && sizes_[at_] == bytes;
    return blocks_[at_++].get();
  }
  bool filled() const override { return filled_; }
  void again() {
    filled_ = true;
    at_ = 0;
  }
  bool same() const { return same_ && at_ == blocks_.size(); }

 private:
  struct Free {
    void operator()(void* block) const { ::operator delete(block, std::align_val_t{64}); }
  };
  std::vector<std::unique_ptr<void, Free>> blocks_;
  std::vector<std::int64_t> sizes_;
  std::size_t at_ = 0;
  bool filled_ = false;
  bool same_ = true;
};

struct SmallEncoder {
  SmallEncoder(Kind its_kind, Numbers its_numbers, unsigned seed)
      : kind(its_kind), numbers(its_numbers), random(seed) {
    make();
  }
  SmallEncoder(const SmallEncoder&) = delete;
  SmallEncoder& operator=(const SmallEncoder&) = delete;

  Kind kind;
  Numbers numbers;
  std::mt19937 random;
  EncoderConfig config;
  Tensors tensors;
  std::int64_t width = 40, hidden = 100, out = 24, depth = 3, vocabulary = 60, positions = 77;

  std::int64_t input_numbers() const {
    std::int64_t count = 1;
    for (const std::int64_t size : config.view) {
      count *= size;
    }
    return count;
  }

  std::vector<float> views(std::int64_t rows) {
    std::normal_distribution<float> normal;
    std::vector<float> result(static_cast<std::size_t>(rows * input_numbers()));
    for (float& number : result) {
      number = normal(random);
    }
    return result;
  }

  // Texts of these lengths, with anything behind.
  std::vector<std::int64_t> texts(const std::vector<std::int64_t>& lengths) {
    std::uniform_int_distribution<std::int64_t> id(0, vocabulary - 2);
    std::vector<std::int64_t> result;
    for (const std::int64_t length : lengths) {
      for (std::int64_t i = 0; i < positions; ++i) {
        result.push_back(i + 1 == length || (i > length && id(random) % 3 == 0) ? vocabulary - 1
                                                                                : id(random));
      }
    }
    return result;
  }

  // The tensor's numbers, as float64.
  std::vector<double> wide(const std::string& name) const {
    if (const auto found = tensors.find(name + ".int8"); found != tensors.end()) {
      const Tensor& scale = tensors.at(name + ".scale");
      const auto columns = static_cast<std::size_t>(found->second.shape[1]);
      std::vector<double> result(static_cast<std::size_t>(count_of(found->second)));
      for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = static_cast<const std::int8_t*>(found->second.data)[i] *
                    static_cast<double>(static_cast<const float*>(scale.data)[i % columns]);
      }
      return result;
    }
    const auto half = tensors.find(name + ".half");
    const auto found = half != tensors.end() ? half : tensors.find(name);
    if (found == tensors.end()) {
      return {};
    }
    std::vector<double> result(static_cast<std::size_t>(count_of(found->second)));
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = static_cast<double>(
          native::stored_number(found->second.stored, found->second.data, static_cast<std::int64_t>(i)));
    }
    return result;
  }

 private:
  static std::int64_t count_of(const Tensor& tensor) {
    std::int64_t count = 1;
    for (const std::int64_t size : tensor.shape) {
      count *= size;
    }
    return count;
  }

  void* memory(std::int64_t bytes) {
    auto& block = blocks_.emplace_back(static_cast<std::size_t>(bytes + 63) / 64 * 64 + 64);
    const auto address = reinterpret_cast<std::uintptr_t>(block.data());
    return block.data() + (64 - address % 64) % 64;
  }

  float* add(const std::string& name, const std::vector<std::int64_t>& shape, double deviation,
             double mean = 0.0) {
    Tensor tensor{Stored::kFloat32, shape, nullptr};
    auto* const data = static_cast<float*>(memory(count_of(tensor) * 4));
    tensor.data = data;
    std::normal_distribution<double> normal(mean, deviation);
    for (std::int64_t i = 0; i < count_of(tensor); ++i) {
      data[i] = static_cast<float>(normal(random));
    }
    tensors[name] = tensor;
    return data;
  }

  // Takes the place of a tensor of floats.
  void halve(const std::string& name, Stored stored) {
    const Tensor full = tensors.at(name);
    tensors.erase(name);
    auto* const data = static_cast<std::uint16_t*>(memory(count_of(full) * 2));
    for (std::int64_t i = 0; i < count_of(full); ++i) {
      const float number = static_cast<const float*>(full.data)[i];
      data[i] = stored == Stored::kBf16 ? native::to_bf16(number) : kernels::to_half(number);
    }
    tensors[name + ".half"] = {stored, full.shape, data};
  }

  void quantise(const std::string& weight) {
    const Tensor full = tensors.at(weight);
    tensors.erase(weight);
    const std::int64_t columns = full.shape[1];
    auto* const data = static_cast<std::int8_t*>(memory(count_of(full)));
    auto* const scale = static_cast<float*>(memory(columns * 4));
    const auto* const from = static_cast<const float*>(full.data);
    for (std::int64_t n = 0; n < columns; ++n) {
      float peak = 0.0F;
      for (std::int64_t k = 0; k < full.shape[0]; ++k) {
        peak = std::max(peak, std::fabs(from[k * columns + n]));
      }
      scale[n] = peak / 63.0F;
      for (std::int64_t k = 0; k < full.shape[0]; ++k) {
        data[k * columns + n] = static_cast<std::int8_t>(std::lround(from[k * columns + n] / scale[n]));
      }
    }
    tensors[weight + ".int8"] = {Stored::kInt8, full.shape, data};
    tensors[weight + ".scale"] = {Stored::kFloat32, {columns}, scale};
  }

  void linear(const std::string& name, std::int64_t inputs, std::int64_t outputs, bool bias = true) {
    add(name + ".weight", {inputs, outputs}, 1.0 / std::sqrt(static_cast<double>(inputs)));
    if (bias) {
      add(name + ".bias", {outputs}, 0.1);
    }
    if (numbers != Numbers::kInt8) {
      if (numbers == Numbers::kBf16) {
        halve(name + ".weight", linears_++ % 2 == 0 ? Stored::kFloat16 : Stored::kBf16);
      }
      return;
    }
    if (++linears_ % 5 == 0) {  // some stay in half precision
      halve(name + ".weight", Stored::kFloat16);
      return;
    }
    quantise(name + ".weight");
    if (linears_ % 7 == 0) {  // some have a fixed range
      *add(name + ".step", {}, 0.0) = 6.0F / 127.0F;
    }
  }

  void norm(const std::string& name, bool bias) {
    add(name + ".weight", {width}, 0.2, 1.0);
    if (bias) {
      add(name + ".bias", {width}, 0.1);
    }
  }

  void make() {
    config.heads = 5;
    config.scale = kind == Kind::kTexts ? 100.0F : 1.0F;
    bool biased = false;
    std::int64_t patches = 0;
    switch (kind) {
      case Kind::kVision:
        config.view = {3, 2, 28, 42};
        config.kernel = config.stride = {2, 14, 14};
        patches = 6;
        linear("stem.patch.product", 3 * 2 * 14 * 14, width, false);
        norm("pre_norm", true);
        break;
      case Kind::kPicture:
        config.view = {3, 24, 32};
        config.kernel = config.stride = {8, 8};
        patches = 12;
        linear("stem.patch.product", 3 * 8 * 8, width, false);
        break;
      case Kind::kAudio:
        config.view = {1, 36, 46};
        config.kernel = {16, 16};
        config.stride = {10, 10};
        patches = 3 * 4;
        add("stem.patch.weight", {width, 1, 16, 16}, 1.0 / 16);
        if (numbers != Numbers::kFloat32) {
          halve("stem.patch.weight", Stored::kFloat16);
        }
        norm("stem.norm", true);
        biased = true;
        break;
      case Kind::kSamples:
        config.view = {6, 80};
        config.kernel = config.stride = {8};
        patches = 10;
        linear("stem.patch", 48, width, false);
        norm("stem.norm", true);
        biased = true;
        break;
      case Kind::kTexts:
        config.view = {positions};
        add("stem.tokens.weight", {vocabulary, width}, 0.5);
        if (numbers != Numbers::kFloat32) {
          halve("stem.tokens.weight", Stored::kFloat16);
        }
        break;
    }
    if (kind != Kind::kTexts) {
      positions = patches + 1;
      add("stem.class_token", {1, 1, width}, 0.5);
    }
    add("stem.position", {1, positions, width}, 0.3);
    for (std::int64_t i = 0; i < depth; ++i) {
      const std::string name = "blocks." + std::to_string(i) + ".";
      norm(name + "norm_1", false);
      if (i + 1 == depth) {
        linear(name + "attention.query", width, width);
        linear(name + "attention.key_value", width, 2 * width);
      } else {
        linear(name + "attention.qkv", width, 3 * width);
      }
      if (biased) {
        add(name + "attention.bias_key", {1, config.heads, 1, width / config.heads}, 0.5);
        add(name + "attention.bias_value", {1, config.heads, 1, width / config.heads}, 1.0);
      }
      linear(name + "attention.out", width, width);
      norm(name + "norm_2", false);
      linear(name + "mlp.up", width, hidden);
      linear(name + "mlp.down", hidden, width);
    }
    norm("norm", false);
    linear("projection", width, out);
  }

  std::deque<std::vector<std::uint8_t>> blocks_;
  int linears_ = 0;
};

}  // namespace bindrt::testing
