// Times an encoder of imagebind_huge's sizes with random weights, phase by phase.
// bench_native vision|text|audio|depth|imu fp32|bf16|int8 BATCH [LENGTH of texts] [THREADS] [RUNS]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "csrc/native/encoder/whole.h"
#include "csrc/native/team.h"

namespace {

using namespace bindrt::native;

struct Sizes {
  const char* name;
  std::int64_t width, depth, heads, out, tokens, vocabulary;
  std::vector<std::int64_t> view, kernel, stride;
  bool bias_token, pre_norm, stem_norm;
};

const Sizes kEncoders[] = {
    {"vision", 1280, 32, 16, 1024, 257, 0, {3, 2, 224, 224}, {2, 14, 14}, {2, 14, 14}, false, true, false},
    {"text", 1024, 24, 16, 1024, 77, 49408, {77}, {}, {}, false, false, false},
    {"audio", 768, 12, 12, 1024, 229, 0, {1, 128, 204}, {16, 16}, {10, 10}, true, false, true},
    {"depth", 384, 12, 8, 1024, 197, 0, {1, 224, 224}, {16, 16}, {16, 16}, true, false, true},
    {"imu", 512, 6, 8, 1024, 251, 0, {6, 2000}, {8}, {8}, true, false, true},
};

class Plain final : public PackedStore {
 public:
  void* take(std::int64_t bytes) override {
    return ::operator new(static_cast<std::size_t>(bytes), std::align_val_t{64});  // until the process ends
  }
  bool filled() const override { return false; }
};

// Random tensors; large ones of one shape share their numbers, so that making them takes no time. The packed
// weights are apart, as they are in life.
class Random {
 public:
  explicit Random(Numbers numbers) : numbers_(numbers) {}

  void floats(const std::string& name, const std::vector<std::int64_t>& shape, float deviation, float mean) {
    std::vector<float>& data = floats_.emplace_back(static_cast<std::size_t>(count(shape)));
    std::normal_distribution<float> normal(mean, deviation);
    for (float& number : data) {
      number = normal(random_);
    }
    tensors[name] = {Stored::kFloat32, shape, data.data()};
  }

  void linear(const std::string& name, std::int64_t inputs, std::int64_t outputs, bool bias) {
    const std::string shape = std::to_string(inputs) + "x" + std::to_string(outputs);
    const float deviation = 1.0F / std::sqrt(static_cast<float>(inputs));
    if (shared_.find(shape) == shared_.end()) {
      floats(shape, {inputs, outputs}, deviation, 0.0F);
      shared_[shape] = tensors[shape];
      tensors.erase(shape);
      std::vector<std::int8_t>& bytes = bytes_.emplace_back(static_cast<std::size_t>(inputs * outputs));
      for (std::int8_t& number : bytes) {
        number = static_cast<std::int8_t>(random_() % 127) - 63;
      }
      shared_[shape + "b"] = {Stored::kInt8, {inputs, outputs}, bytes.data()};
    }
    const bool quantised = numbers_ == Numbers::kInt8 && name.find("stem") == std::string::npos;
    tensors[name + (quantised ? ".weight.int8" : ".weight")] = shared_[shape + (quantised ? "b" : "")];
    if (quantised) {
      floats(name + ".weight.scale", {outputs}, 0.0F, deviation / 36.0F);
    }
    if (bias) {
      floats(name + ".bias", {outputs}, 0.02F, 0.0F);
    }
  }

  Tensors tensors;

 private:
  static std::int64_t count(const std::vector<std::int64_t>& shape) {
    std::int64_t result = 1;
    for (const std::int64_t size : shape) {
      result *= size;
    }
    return result;
  }

  Numbers numbers_;
  std::mt19937 random_;
  Tensors shared_;
  std::deque<std::vector<float>> floats_;
  std::deque<std::vector<std::int8_t>> bytes_;
};

void add_stem(const Sizes& s, Random& random) {
  if (s.vocabulary > 0) {
    random.floats("stem.tokens.weight", {s.vocabulary, s.width}, 0.02F, 0.0F);
  } else if (s.kernel == s.stride) {
    std::int64_t inputs = s.view[0];
    for (const std::int64_t size : s.kernel) {
      inputs *= size;
    }
    random.linear(s.kernel.size() == 1 ? "stem.patch" : "stem.patch.product", inputs, s.width, false);
  } else {
    random.floats("stem.patch.weight", {s.width, s.view[0], s.kernel[0], s.kernel[1]}, 0.06F, 0.0F);
  }
  if (s.vocabulary == 0) {
    random.floats("stem.class_token", {1, 1, s.width}, 0.5F, 0.0F);
  }
  random.floats("stem.position", {1, s.tokens, s.width}, 0.3F, 0.0F);
  for (const auto& [name, there] : {std::pair("stem.norm", s.stem_norm), std::pair("pre_norm", s.pre_norm)}) {
    if (there) {
      random.floats(std::string(name) + ".weight", {s.width}, 0.1F, 1.0F);
      random.floats(std::string(name) + ".bias", {s.width}, 0.1F, 0.0F);
    }
  }
}

Tensors tensors_of(const Sizes& s, Random& random) {
  add_stem(s, random);
  for (std::int64_t i = 0; i < s.depth; ++i) {
    const std::string name = "blocks." + std::to_string(i) + ".";
    random.floats(name + "norm_1.weight", {s.width}, 0.0F, 1.0F);
    random.floats(name + "norm_2.weight", {s.width}, 0.0F, 1.0F);
    if (i + 1 == s.depth) {
      random.linear(name + "attention.query", s.width, s.width, true);
      random.linear(name + "attention.key_value", s.width, 2 * s.width, true);
    } else {
      random.linear(name + "attention.qkv", s.width, 3 * s.width, true);
    }
    if (s.bias_token) {
      random.floats(name + "attention.bias_key", {1, s.heads, 1, s.width / s.heads}, 0.1F, 0.0F);
      random.floats(name + "attention.bias_value", {1, s.heads, 1, s.width / s.heads}, 0.1F, 0.0F);
    }
    random.linear(name + "attention.out", s.width, s.width, true);
    random.linear(name + "mlp.up", s.width, 4 * s.width, true);
    random.linear(name + "mlp.down", 4 * s.width, s.width, true);
  }
  random.floats("norm.weight", {s.width}, 0.0F, 1.0F);
  random.linear("projection", s.width, s.out, true);
  return random.tensors;
}

int fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    return fail("bench_native vision|text|audio|depth|imu fp32|bf16|int8 BATCH [LENGTH] [THREADS] [RUNS]");
  }
  const Sizes* sizes = nullptr;
  for (const Sizes& each : kEncoders) {
    sizes = each.name == std::string(argv[1]) ? &each : sizes;
  }
  const std::string type = argv[2];
  if (sizes == nullptr || (type != "fp32" && type != "bf16" && type != "int8")) {
    return fail("no such encoder or numbers");
  }
  const Numbers numbers = type == "fp32"   ? Numbers::kFloat32
                          : type == "bf16" ? Numbers::kBf16
                                           : Numbers::kInt8;
  const std::int64_t batch = std::max(1, std::atoi(argv[3]));
  const std::int64_t length = argc > 4 ? std::atoi(argv[4]) : 10;
  const int threads = argc > 5 ? std::atoi(argv[5]) : team_threads();
  const int runs = argc > 6 ? std::atoi(argv[6]) : 7;

  EncoderConfig config;
  config.heads = sizes->heads;
  config.view = sizes->view;
  config.kernel = sizes->kernel;
  config.stride = sizes->stride;
  Random random(numbers);
  const Tensors tensors = tensors_of(*sizes, random);
  WholeEncoder encoder(config, tensors, numbers, std::make_shared<Plain>(), threads);

  std::mt19937 generator;
  std::int64_t view = 1;
  for (const std::int64_t size : sizes->view) {
    view *= size;
  }
  std::vector<float> views(static_cast<std::size_t>(batch * view));
  std::vector<std::int64_t> ids(static_cast<std::size_t>(batch * length));
  std::normal_distribution<float> normal;
  for (float& number : views) {
    number = normal(generator);
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = (i + 1) % static_cast<std::size_t>(length) == 0 ? 49407
                                                             : static_cast<std::int64_t>(generator() % 49000);
  }
  const void* const input = sizes->vocabulary > 0 ? static_cast<const void*>(ids.data()) : views.data();
  std::vector<float> out(static_cast<std::size_t>(batch * sizes->out));

  double best = 1e9;
  PhaseTimes best_times{};
  for (int i = 0; i < runs; ++i) {
    PhaseTimes times{};
    const auto before = std::chrono::steady_clock::now();
    encoder.run_timed(input, batch, length, out.data(), 0, &times);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    if (seconds < best) {
      best = seconds;
      best_times = times;
    }
  }
  std::printf("%s %s, %d at once, %d threads, best of %d: %.2f ms\n", sizes->name, type.c_str(),
              static_cast<int>(batch), threads, runs, best * 1e3);
  const char* const names[] = {"stem", "norm", "qkv", "attention", "out", "up", "quantise", "down", "head"};
  for (std::size_t i = 0; i < best_times.size(); ++i) {
    std::printf("  %-10s %8.2f ms  %4.1f %%\n", names[i], best_times[i] * 1e3, best_times[i] / best * 100);
  }
  return 0;
}
