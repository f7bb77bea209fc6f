// What a small encoder should give, computed in float64 as plainly as can be.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/csrc/native/small_encoder.h"

namespace bindrt::testing {

class PlainEncoder {
 public:
  using Row = std::vector<double>;
  using Rows = std::vector<Row>;

  explicit PlainEncoder(const SmallEncoder& small) : small_(small) {}

  Row of_view(const float* view) const {
    Rows rows(1, small_.wide("stem.class_token"));
    for (const Row& patch : patches(view)) {
      rows.push_back(small_.wide("stem.norm.weight").empty() ? patch : norm(patch, "stem.norm", 1e-5));
    }
    return finish(rows, 0, false);
  }

  Row of_text(const std::int64_t* ids) const {
    const auto end = static_cast<std::size_t>(std::max_element(ids, ids + small_.positions) - ids);
    const Row table = small_.wide("stem.tokens.weight");
    Rows rows;
    for (std::size_t i = 0; i <= end; ++i) {
      const auto at = table.begin() + static_cast<std::ptrdiff_t>(ids[i] * small_.width);
      rows.emplace_back(at, at + small_.width);
    }
    return finish(rows, end, true);
  }

 private:
  static std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

  Rows patches(const float* view) const {
    std::vector<std::int64_t> in(small_.config.view.begin() + 1, small_.config.view.end());
    std::vector<std::int64_t> kernel = small_.config.kernel;
    std::vector<std::int64_t> stride = small_.config.stride;
    while (in.size() < 3) {
      in.insert(in.begin(), 1);
      kernel.insert(kernel.begin(), 1);
      stride.insert(stride.begin(), 1);
    }
    Rows result;
    for (std::int64_t t = 0; t + kernel[0] <= in[0]; t += stride[0]) {
      for (std::int64_t y = 0; y + kernel[1] <= in[1]; y += stride[1]) {
        for (std::int64_t x = 0; x + kernel[2] <= in[2]; x += stride[2]) {
          Row patch;
          for (std::int64_t c = 0; c < small_.config.view[0]; ++c) {
            for (std::int64_t i = 0; i < kernel[0] * kernel[1] * kernel[2]; ++i) {
              const std::int64_t dt = i / (kernel[1] * kernel[2]);
              const std::int64_t dy = i / kernel[2] % kernel[1];
              const std::int64_t at = ((c * in[0] + t + dt) * in[1] + y + dy) * in[2] + x + i % kernel[2];
              patch.push_back(static_cast<double>(view[at]));
            }
          }
          result.push_back(patch_product(patch));
        }
      }
    }
    return result;
  }

  Row patch_product(const Row& patch) const {
    for (const char* const name : {"stem.patch.product", "stem.patch"}) {
      const Row weight = small_.wide(std::string(name) + ".weight");
      if (weight.empty()) {
        continue;
      }
      const bool convolution = small_.kind == Kind::kAudio;
      Row result(size(small_.width));
      for (std::size_t n = 0; n < result.size(); ++n) {
        for (std::size_t k = 0; k < patch.size(); ++k) {
          result[n] += patch[k] * weight[convolution ? n * patch.size() + k : k * result.size() + n];
        }
      }
      return result;
    }
    return {};
  }

  Row norm(const Row& row, const std::string& name, double eps) const {
    const Row weight = small_.wide(name + ".weight");
    const Row bias = small_.wide(name + ".bias");
    double mean = 0, variance = 0;
    for (const double number : row) {
      mean += number / static_cast<double>(row.size());
    }
    for (const double number : row) {
      variance += (number - mean) * (number - mean) / static_cast<double>(row.size());
    }
    Row result(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      result[i] = (row[i] - mean) / std::sqrt(variance + eps) * weight[i] + (bias.empty() ? 0.0 : bias[i]);
    }
    return result;
  }

  Row linear(const Row& row, const std::string& name) const {
    const Row weight = small_.wide(name + ".weight");
    Row result = small_.wide(name + ".bias");
    for (std::size_t k = 0; k < row.size(); ++k) {
      for (std::size_t n = 0; n < result.size(); ++n) {
        result[n] += row[k] * weight[k * result.size() + n];
      }
    }
    return result;
  }

  Row attention(const Row& query, const Rows& keys, const Rows& values) const {
    const std::size_t heads = size(small_.config.heads);
    const std::size_t head_width = query.size() / heads;
    Row result(query.size());
    for (std::size_t head = 0; head < heads; ++head) {
      Row weights;
      double total = 0;
      for (const Row& key : keys) {
        double score = 0;
        for (std::size_t i = head * head_width; i < (head + 1) * head_width; ++i) {
          score += query[i] * key[i];
        }
        weights.push_back(std::exp(score));
        total += weights.back();
      }
      for (std::size_t k = 0; k < keys.size(); ++k) {
        for (std::size_t i = head * head_width; i < (head + 1) * head_width; ++i) {
          result[i] += weights[k] / total * values[k][i];
        }
      }
    }
    return result;
  }

  static Row part(const Row& row, std::size_t first, std::size_t count) {
    const auto at = row.begin() + static_cast<std::ptrdiff_t>(first);
    return Row(at, at + static_cast<std::ptrdiff_t>(count));
  }

  static void add(Row& row, const Row& other) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] += other[i];
    }
  }

  Row after_attention(Row row, const Row& mixed, const std::string& name) const {
    add(row, linear(mixed, name + "attention.out"));
    Row hidden = linear(norm(row, name + "norm_2", eps()), name + "mlp.up");
    for (double& number : hidden) {
      number = number * 0.5 * (1 + std::erf(number / std::sqrt(2.0)));
    }
    add(row, linear(hidden, name + "mlp.down"));
    return row;
  }

  double eps() const { return static_cast<double>(small_.config.eps); }

  // Keys and values of rows, with the bias first.
  void keys_values(const Rows& packed, std::size_t from, const std::string& name, Rows& keys,
                   Rows& values) const {
    const std::size_t width = size(small_.width);
    keys.clear();
    values.clear();
    if (!small_.wide(name + "attention.bias_key").empty()) {
      keys.push_back(small_.wide(name + "attention.bias_key"));
      values.push_back(small_.wide(name + "attention.bias_value"));
    }
    for (const Row& row : packed) {
      keys.push_back(part(row, from, width));
      values.push_back(part(row, from + width, width));
    }
  }

  Row finish(Rows rows, std::size_t pooled, bool causal) const {
    const Row position = small_.wide("stem.position");
    const std::size_t width = size(small_.width);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      add(rows[i], part(position, i * width, width));
      if (!small_.wide("pre_norm.weight").empty()) {
        rows[i] = norm(rows[i], "pre_norm", eps());
      }
    }
    Rows keys, values;
    for (std::int64_t b = 0; b + 1 < small_.depth; ++b) {
      const std::string name = "blocks." + std::to_string(b) + ".";
      Rows packed;
      for (const Row& row : rows) {
        packed.push_back(linear(norm(row, name + "norm_1", eps()), name + "attention.qkv"));
      }
      keys_values(packed, width, name, keys, values);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto seen = static_cast<std::ptrdiff_t>(causal ? i + 1 : keys.size());
        const Row mixed = attention(part(packed[i], 0, width), Rows(keys.begin(), keys.begin() + seen),
                                    Rows(values.begin(), values.begin() + seen));
        rows[i] = after_attention(rows[i], mixed, name);
      }
    }
    const std::string name = "blocks." + std::to_string(small_.depth - 1) + ".";
    Rows packed;
    for (const Row& row : rows) {
      packed.push_back(linear(norm(row, name + "norm_1", eps()), name + "attention.key_value"));
    }
    keys_values(packed, 0, name, keys, values);
    const Row query = linear(norm(rows[pooled], name + "norm_1", eps()), name + "attention.query");
    const Row last = after_attention(rows[pooled], attention(query, keys, values), name);
    Row vector = linear(norm(last, "norm", eps()), "projection");
    double squares = 0;
    for (const double number : vector) {
      squares += number * number;
    }
    for (double& number : vector) {
      number *= static_cast<double>(small_.config.scale) / std::sqrt(squares);
    }
    return vector;
  }

  const SmallEncoder& small_;
};

}  // namespace bindrt::testing
