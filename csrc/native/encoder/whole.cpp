// Calls of an encoder: groups of sequences, each one program of the team.
#include "csrc/native/encoder/whole.h"

#include <algorithm>
#include <stdexcept>

namespace bindrt::native {
namespace {

// A workspace for the time of a call.
class Borrowed {
 public:
  explicit Borrowed(Workspaces& all) : all_(all), workspace_(all.take()) {}
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() { all_.give_back(std::move(workspace_)); }
  Workspace& operator*() const { return *workspace_; }

 private:
  Workspaces& all_;
  std::unique_ptr<Workspace> workspace_;
};

// Tokens of a text: what stands behind the first largest id is not computed.
std::int64_t used_length(const std::int64_t* ids, std::int64_t length) {
  return std::max_element(ids, ids + length) - ids + 1;
}

void check_ids(const std::int64_t* ids, std::int64_t count, std::int64_t vocabulary) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (ids[i] < 0 || ids[i] >= vocabulary) {
      throw std::invalid_argument("token id " + std::to_string(ids[i]) + " is not in the table of " +
                                  std::to_string(vocabulary));
    }
  }
}

}  // namespace

std::unique_ptr<Encoder> Encoder::make(const EncoderConfig& config, const Tensors& tensors, Numbers numbers,
                                       std::shared_ptr<PackedStore> store, int threads) {
  return std::make_unique<WholeEncoder>(config, tensors, numbers, std::move(store), threads);
}

WholeEncoder::WholeEncoder(const EncoderConfig& config, const Tensors& tensors, Numbers numbers,
                           std::shared_ptr<PackedStore> store, int threads)
    : store_(store),
      parts_(make_parts(config, tensors, numbers, std::move(store), threads)),
      threads_(std::max(1, threads)) {}

// Rows that go through the blocks together: a product's share for each thread. More would only leave the
// caches.
std::int64_t WholeEncoder::together() const {
  const Linear& linear = parts_.blocks.front().up;
  return threads_ * product_kernel(linear.numbers()).good_rows(linear.inputs());
}

void WholeEncoder::run_timed(const void* input, std::int64_t rows, std::int64_t length, float* output,
                             int priority, PhaseTimes* times) {
  const bool reads_tokens = parts_.config.reads_tokens();
  const auto* const ids = static_cast<const std::int64_t*>(input);
  if (reads_tokens) {
    if (length < 1 || length > parts_.stem.positions) {
      throw std::invalid_argument("texts of " + std::to_string(length) + " tokens: must have 1 to " +
                                  std::to_string(parts_.stem.positions));
    }
    check_ids(ids, rows * length, parts_.stem.table.shape[0]);
  }
  const std::int64_t most_rows = together();
  const Borrowed workspace(workspaces_);
  std::vector<std::int64_t>& starts = (*workspace).starts;
  for (std::int64_t first = 0; first < rows;) {
    std::int64_t next = first;
    starts.assign(1, 0);
    while (next < rows) {
      const std::int64_t tokens =
          reads_tokens ? used_length(ids + next * length, length) : parts_.stem.positions;
      if (next > first && starts.back() + tokens > most_rows) {
        break;
      }
      starts.push_back(starts.back() + tokens);
      ++next;
    }
    Inputs inputs;
    inputs.length = length;
    if (reads_tokens) {
      inputs.ids = ids + first * length;
    } else {
      inputs.views = static_cast<const float*>(input) + first * parts_.stem.patches.input_numbers();
    }
    Forward forward(parts_, *workspace, inputs, output + first * out(), threads_, times);
    run_on_team(threads_, priority, [&forward](Member& member) { forward(member); });
    first = next;
  }
}

}  // namespace bindrt::native
