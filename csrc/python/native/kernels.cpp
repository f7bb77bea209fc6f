// What the native engine has on this processor: its products by number type, their speed, its threads.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "csrc/native/ops/attention_kernel.h"
#include "csrc/native/packed_file.h"
#include "csrc/native/product/product.h"
#include "csrc/native/team.h"
#include "csrc/python/arguments/arrays.h"
#include "csrc/python/bindings.h"
#include "csrc/python/gil.h"
#include "csrc/python/native/numbers.h"

namespace py = pybind11;

namespace bindrt {
namespace {

using namespace native;

py::list native_kernels() {
  py::list found;
  for (const ProductKernel& kernel : product_kernels()) {
    const auto* const type = std::find_if(std::begin(kNumbers), std::end(kNumbers),
                                          [&](const auto& each) { return each.second == kernel.numbers; });
    py::dict entry;
    entry["name"] = kernel.name;
    entry["numbers"] = type->first;
    entry["available"] = kernel.available();
    entry["chosen"] = &product_kernel(kernel.numbers) == &kernel;
    entry["wrong"] = is_wrong(kernel);
    found.append(std::move(entry));
  }
  return found;
}

py::list native_attention() {
  py::list found;
  const std::string_view chosen = attention_kernel(true).name;
  for (const AttentionKernel& kernel : attention_kernels()) {
    py::dict entry;
    entry["name"] = kernel.name;
    entry["available"] = kernel.available();
    entry["chosen"] = chosen == kernel.name;
    entry["wrong"] = is_wrong(kernel);
    found.append(std::move(entry));
  }
  return found;
}

void limit_native_attention(const std::string& name) {
  if (!limit_attention_kernel(name.c_str())) {
    throw py::value_error("there is no attention '" + name + "' on this processor");
  }
}

void limit_native_kernel(const std::string& numbers, const std::string& name) {
  if (!limit_product_kernel(numbers_of(numbers), name.c_str())) {
    throw py::value_error("there is no product '" + name + "' of " + numbers + " on this processor");
  }
}

// One product with made-up numbers, as an encoder computes it: column panels shared out, rows in one go.
class Trial {
 public:
  Trial(Numbers numbers, std::int64_t inputs, std::int64_t outputs, std::int64_t rows, std::int64_t weights)
      : numbers_(numbers), rows_(rows), memory_(PackedFile::open("", std::string(kPackedKey, '0'))) {
    const std::int64_t padded = panels_of(outputs) * kPanel;
    stride_ = (padded_inputs(numbers, inputs) * bytes_of(numbers) + 63) / 64 * 64;
    for (std::int64_t i = 0; i < weights; ++i) {
      PackedWeight weight;
      weight.numbers = numbers;
      weight.inputs = inputs;
      weight.outputs = outputs;
      weight.data = zeros(packed_bytes(numbers, inputs, outputs));
      weight.bias = static_cast<const float*>(zeros(padded * 4));
      weight.scale = static_cast<const float*>(zeros(padded * 4));
      weight.sums = static_cast<const std::int32_t*>(zeros(padded * 4));
      weights_.push_back(weight);
    }
    activations_ = {zeros(rows * stride_), stride_, static_cast<const float*>(zeros(rows * 4))};
    target_ = {zeros(rows * outputs * 4), outputs, false, After::kStore};
  }

  // Seconds of one product, of each weight in turn.
  double run(int threads) {
    using Clock = std::chrono::steady_clock;
    const ProductKernel& kernel = product_kernel(numbers_);
    const auto start = Clock::now();
    run_on_team(threads, 0, [&](Member& member) {
      const std::int64_t good = std::max<std::int64_t>(kernel.good_rows(weights_[0].inputs), 1);
      const std::int64_t parts = (rows_ + good - 1) / good;
      for (const PackedWeight& weight : weights_) {
        const std::int64_t panels = panels_of(weight.outputs);
        member.loop(parts * panels, 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t first = i / panels * good;
            Activations rows = activations_;
            rows.data = static_cast<const std::uint8_t*>(rows.data) + first * stride_;
            rows.steps += first;
            Target to = target_;
            to.data = static_cast<float*>(to.data) + first * to.stride;
            kernel.run(weight, rows, std::min(good, rows_ - first), i % panels, i % panels + 1, to);
          }
        });
      }
    });
    const std::chrono::duration<double> taken = Clock::now() - start;
    return taken.count() / static_cast<double>(weights_.size());
  }

 private:
  void* zeros(std::int64_t bytes) {
    void* const at = memory_->take(bytes);
    std::memset(at, 0, static_cast<std::size_t>(bytes));
    return at;
  }

  Numbers numbers_;
  std::int64_t rows_;
  std::int64_t stride_ = 0;
  std::shared_ptr<PackedFile> memory_;
  std::vector<PackedWeight> weights_;
  Activations activations_;
  Target target_;
};

double native_product(const std::string& numbers, std::int64_t inputs, std::int64_t outputs,
                      std::int64_t rows, std::int64_t weights, int threads, int repeats) {
  constexpr std::int64_t kMost = std::int64_t{1} << 20;
  for (const std::int64_t size : {inputs, outputs, rows, weights, std::int64_t{repeats}}) {
    if (size < 1 || size > kMost) {
      throw py::value_error("sizes must be 1 to " + std::to_string(kMost));
    }
  }
  require_threads(threads);
  const Numbers computed = numbers_of(numbers);
  const WithoutGil release;
  Trial trial(computed, inputs, outputs, rows, weights);
  trial.run(threads);
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) {
    seconds.push_back(trial.run(threads));
  }
  std::nth_element(seconds.begin(), seconds.begin() + repeats / 2, seconds.end());
  return seconds[static_cast<std::size_t>(repeats / 2)];
}

}  // namespace

void bind_native_kernels(py::module_& module) {
  module.def("native_kernels", &native_kernels,
             "Products of the native engine: name, numbers (float32, bf16, int8), available, chosen, wrong.");
  module.def("limit_native_kernel", &limit_native_kernel, py::arg("numbers"), py::arg("name"),
             "Use this product in this process, for tests; an empty name: the fastest again.");
  module.def("native_attention", &native_attention,
             "Attention of bf16 pairs in the native engine: name, available, chosen, wrong. Where none is "
             "chosen, vectors of float32 compute it.");
  module.def(
      "limit_native_attention", &limit_native_attention, py::arg("name"),
      "Use this attention in this process, for tests: a name, or 'vectors'; empty: the fastest again.");
  module.def("native_product", &native_product, py::arg("numbers"), py::arg("inputs"), py::arg("outputs"),
             py::arg("rows"), py::arg("weights") = 1, py::arg("threads") = 1, py::arg("repeats") = 5,
             "Median seconds of rows times a weight [inputs, outputs], of so many weights in turn.");
  module.def("native_threads", &team_threads, "The most threads that the native engine computes with.");
  module.def("start_native_threads", &start_team,
             "Start them now: a thread has the priority in the system of the thread that starts it.");
}

}  // namespace bindrt
