// From an encoder's input to the first rows of its residual stream.
#include <algorithm>

#include "csrc/native/encoder/forward.h"

namespace bindrt::native {
namespace {

// Patch `index` of one view, channel first.
void gather_patch(const Patches& patches, const float* view, std::int64_t index, float* to) {
  const Patches::Sizes at{index / (patches.count[1] * patches.count[2]) * patches.stride[0],
                          index / patches.count[2] % patches.count[1] * patches.stride[1],
                          index % patches.count[2] * patches.stride[2]};
  for (std::int64_t channel = 0; channel < patches.channels; ++channel) {
    for (std::int64_t i = 0; i < patches.kernel[0]; ++i) {
      const std::int64_t plane = channel * patches.input[0] + at[0] + i;
      for (std::int64_t j = 0; j < patches.kernel[1]; ++j, to += patches.kernel[2]) {
        const std::int64_t line = plane * patches.input[1] + at[1] + j;
        std::copy_n(view + line * patches.input[2] + at[2], patches.kernel[2], to);
      }
    }
  }
}

void add(float* row, const float* other, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) {
    row[i] = row[i] + other[i];
  }
}

}  // namespace

void Forward::look_up(Member& member) {
  const Tensor& table = parts_.stem.table;
  const std::int64_t width = parts_.width;
  auto* const residual = space_.residual.at<float>();
  member.loop(sequences(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t sequence = begin; sequence < end; ++sequence) {
      const std::int64_t first = space_.starts[static_cast<std::size_t>(sequence)];
      for (std::int64_t i = 0; i < length(sequence); ++i) {
        const std::int64_t id = inputs_.ids[sequence * inputs_.length + i];
        float* const row = residual + (first + i) * residual_stride_;
        for (std::int64_t n = 0; n < width; ++n) {
          row[n] = stored_number(table.stored, table.data, id * width + n);
        }
        add(row, parts_.stem.position.data() + i * width, width);
        if (parts_.pre_norm.there()) {
          norm_in_place(row, width, parts_.pre_norm.view());
        }
      }
    }
  });
}

// The product of all patches, to the memory of the hidden layer.
void Forward::cut_patches(Member& member) {
  const Stem& stem = parts_.stem;
  const std::int64_t each = stem.patches.all();
  const std::int64_t numbers = stem.patches.numbers();
  const std::int64_t rows = sequences() * each;
  const RowsOut to = stem.patch.activations(space_.activations.at(), space_.steps.at<float>());
  member.loop(rows, grain(member, rows, numbers), [&](std::int64_t begin, std::int64_t end) {
    auto* const patch = space_.scratch.at<float>(member.number() * scratch_bytes_);
    for (std::int64_t row = begin; row < end; ++row) {
      const float* const view = inputs_.views + row / each * stem.patches.input_numbers();
      gather_patch(stem.patches, view, row % each, patch);
      convert_rows({patch, 0, false}, row, row + 1, numbers, to);
    }
  });
  stem.patch.run(member, to, rows, {space_.hidden.at(), residual_stride_, false, After::kStore});
}

void Forward::place_patches(Member& member) {
  const Stem& stem = parts_.stem;
  const std::int64_t width = parts_.width;
  const std::int64_t each = stem.positions;
  auto* const residual = space_.residual.at<float>();
  const auto* const patches = space_.hidden.at<float>();
  member.loop(rows_, grain(member, rows_, width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t token = i % each;
      float* const row = residual + i * residual_stride_;
      if (token == 0) {
        std::copy_n(stem.class_token.data(), width, row);
      } else {
        std::copy_n(patches + (i / each * (each - 1) + token - 1) * residual_stride_, width, row);
        if (stem.norm.there()) {
          norm_in_place(row, width, stem.norm.view());
        }
      }
      add(row, stem.position.data() + token * width, width);
      if (parts_.pre_norm.there()) {
        norm_in_place(row, width, parts_.pre_norm.view());
      }
    }
  });
}

}  // namespace bindrt::native
