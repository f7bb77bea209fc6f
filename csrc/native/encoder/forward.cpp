// The blocks and the head.
#include "csrc/native/encoder/forward.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "csrc/native/ops/attention.h"

namespace bindrt::native {
namespace {

constexpr std::int64_t kPieceNumbers = 32768;  // of a piece that passes over rows
constexpr std::int64_t kRowPiecesEach = 2;     // of rows, for each member at least
constexpr std::int64_t kPiecesEach = 4;        // of attention, likewise

}  // namespace

Forward::Forward(const Parts& parts, Workspace& space, const Inputs& inputs, float* output, int threads,
                 PhaseTimes* times)
    : parts_(parts),
      space_(space),
      inputs_(inputs),
      output_(output),
      rows_(space.starts.back()),
      residual_stride_(row_bytes(parts.width * 4) / 4),
      times_(times),
      since_(std::chrono::steady_clock::now()) {
  take_memory(threads);
}

std::int64_t Forward::length(std::int64_t sequence) const {
  const auto i = static_cast<std::size_t>(sequence);
  return space_.starts[i + 1] - space_.starts[i];
}

std::int64_t Forward::inner_stride(std::int64_t numbers) const {
  const std::int64_t size = parts_.bf16() ? 2 : 4;
  return row_bytes(numbers * size) / size;
}

// Rows of a piece that passes over rows of so many numbers.
std::int64_t Forward::grain(const Member& member, std::int64_t rows, std::int64_t numbers) const {
  const std::int64_t pieces = kRowPiecesEach * member.members();
  return std::clamp<std::int64_t>((rows + pieces - 1) / pieces, 1,
                                  std::max<std::int64_t>(1, kPieceNumbers / numbers));
}

std::int64_t Forward::activation_bytes() const {
  std::int64_t most = 0;
  for (const Block& block : parts_.blocks) {
    for (const Linear* linear : {&block.qkv, &block.out, &block.up, &block.down}) {
      most = std::max(most, rows_ * linear->stride());
    }
  }
  if (!parts_.config.reads_tokens()) {
    most = std::max(most, rows_ * parts_.stem.patch.stride());
  }
  const Block& last = parts_.blocks.back();
  return std::max({most, sequences() * last.query.stride(), sequences() * parts_.projection.stride()});
}

void Forward::take_memory(int threads) {
  const std::int64_t size = parts_.bf16() ? 2 : 4;
  std::int64_t longest = 0;
  for (std::int64_t i = 0; i < sequences(); ++i) {
    longest = std::max(longest, length(i));
  }
  std::int64_t hidden = residual_stride_ * 4;
  std::int64_t qkv = 0;
  for (const Block& block : parts_.blocks) {
    hidden = std::max(hidden, inner_stride(block.up.outputs()) * size);
    qkv = std::max(qkv, inner_stride(block.qkv.outputs()) * size);
  }
  scratch_bytes_ = static_cast<std::int64_t>(attention_scratch(longest, parts_.head_width()));
  if (!parts_.config.reads_tokens()) {
    scratch_bytes_ = std::max(scratch_bytes_, row_bytes(parts_.stem.patches.numbers() * 4));
  }
  space_.residual.need(rows_ * residual_stride_ * 4);
  space_.activations.need(activation_bytes());
  space_.steps.need(rows_ * 4);
  space_.qkv.need(rows_ * qkv);
  space_.mixed.need(rows_ * inner_stride(parts_.width) * size);
  space_.hidden.need(rows_ * hidden);
  space_.pooled.need(sequences() * residual_stride_ * 4);
  space_.pooled_query.need(sequences() * inner_stride(parts_.width) * size);
  space_.scratch.need(threads * scratch_bytes_);
}

void Forward::operator()(Member& member) {
  if (parts_.config.reads_tokens()) {
    look_up(member);
  } else {
    cut_patches(member);
    place_patches(member);
  }
  passed(member, Phase::kStem);
  for (std::size_t i = 0; i + 1 < parts_.blocks.size(); ++i) {
    block(member, parts_.blocks[i]);
  }
  last_block(member, parts_.blocks.back());
  head(member);
  passed(member, Phase::kHead);
}

void Forward::block(Member& member, const Block& block) {
  auto* const residual = space_.residual.at<float>();
  const RowsOut rows = normed(member, residual, rows_, block.norm_1, block.qkv);
  block.qkv.run(member, rows, rows_, to_inner(space_.qkv, block.qkv.outputs(), After::kStore));
  passed(member, Phase::kQkv);
  attention(member, block, false);
  const RowsOut mixed = converted(member, space_.mixed.at(), inner_stride(parts_.width), rows_, block.out);
  block.out.run(member, mixed, rows_, to_residual(residual));
  passed(member, Phase::kOut);
  mlp(member, block, residual, rows_);
}

// Keys and values are those of all rows, everything else is for the pooled row of each sequence.
void Forward::last_block(Member& member, const Block& block) {
  auto* const pooled = space_.pooled.at<float>();
  const RowsOut rows = normed(member, space_.residual.at<float>(), rows_, block.norm_1, block.qkv);
  block.qkv.run(member, rows, rows_, to_inner(space_.qkv, block.qkv.outputs(), After::kStore));
  passed(member, Phase::kQkv);
  take_pooled(member);
  const RowsOut queries = normed(member, pooled, sequences(), block.norm_1, block.query);
  block.query.run(member, queries, sequences(),
                  to_inner(space_.pooled_query, block.query.outputs(), After::kStore));
  attention(member, block, true);
  const RowsOut mixed =
      converted(member, space_.mixed.at(), inner_stride(parts_.width), sequences(), block.out);
  block.out.run(member, mixed, sequences(), to_residual(pooled));
  passed(member, Phase::kOut);
  mlp(member, block, pooled, sequences());
}

void Forward::mlp(Member& member, const Block& block, float* rows_of, std::int64_t rows) {
  const std::int64_t numbers = block.up.outputs();
  const RowsOut in = normed(member, rows_of, rows, block.norm_2, block.up);
  block.up.run(member, in, rows, to_inner(space_.hidden, numbers, After::kGelu));
  passed(member, Phase::kUp);
  const RowsOut hidden = converted(member, space_.hidden.at(), inner_stride(numbers), rows, block.down);
  block.down.run(member, hidden, rows, to_residual(rows_of));
  passed(member, Phase::kDown);
}

void Forward::attention(Member& member, const Block& block, bool last) {
  const std::int64_t size = parts_.bf16() ? 2 : 4;
  const std::int64_t width = parts_.width;
  const char* const qkv = space_.qkv.at<char>();
  AttentionRows rows;
  rows.bf16 = parts_.bf16();
  rows.head_width = parts_.head_width();
  rows.stride = inner_stride(block.qkv.outputs());
  rows.query = last ? space_.pooled_query.at<char>() : qkv;
  rows.query_stride = last ? inner_stride(width) : rows.stride;
  rows.key = last ? qkv : qkv + width * size;
  rows.value = last ? qkv + width * size : qkv + 2 * width * size;
  rows.bias_key = block.bias_key.data();
  rows.bias_value = block.bias_value.data();
  rows.out = space_.mixed.at();
  rows.out_stride = inner_stride(width);

  // Where heads and sequences are fewer than the members need, queries are shared out as well.
  const std::int64_t heads = parts_.config.heads;
  const std::int64_t parts =
      std::max<std::int64_t>(1, kPiecesEach * member.members() / (sequences() * heads));
  member.loop(sequences() * heads * parts, 1, [&](std::int64_t begin, std::int64_t end) {
    void* const scratch = space_.scratch.at(member.number() * scratch_bytes_);
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t sequence = piece / (heads * parts);
      const std::int64_t queries = last ? 1 : length(sequence);
      AttentionPart part;
      part.head = piece / parts % heads;
      part.keys = length(sequence);
      part.key_row = space_.starts[static_cast<std::size_t>(sequence)];
      part.query_row = last ? sequence : part.key_row;
      part.first = piece % parts * queries / parts;
      part.last = (piece % parts + 1) * queries / parts;
      part.causal = parts_.config.reads_tokens() && !last;  // the pooled row of a text is its last
      if (part.first < part.last) {
        attend(rows, part, scratch);
      }
    }
  });
  passed(member, Phase::kAttention);
}

void Forward::take_pooled(Member& member) {
  const auto* const from = space_.residual.at<float>();
  auto* const to = space_.pooled.at<float>();
  member.loop(sequences(), grain(member, sequences(), parts_.width),
              [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                  const std::int64_t first = space_.starts[static_cast<std::size_t>(i)];
                  const std::int64_t row = parts_.config.reads_tokens() ? first + length(i) - 1 : first;
                  std::copy_n(from + row * residual_stride_, parts_.width, to + i * residual_stride_);
                }
              });
}

void Forward::head(Member& member) {
  const RowsOut rows = normed(member, space_.pooled.at<float>(), sequences(), parts_.norm, parts_.projection);
  const std::int64_t out = parts_.projection.outputs();
  parts_.projection.run(member, rows, sequences(), {output_, out, false, After::kStore});
  member.loop(sequences(), grain(member, sequences(), out), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      unit_length(output_ + i * out);
    }
  });
}

void Forward::unit_length(float* vector) const {
  constexpr double kLeast = 1e-12;
  const std::int64_t out = parts_.projection.outputs();
  double squares = 0.0;
  for (std::int64_t i = 0; i < out; ++i) {
    squares += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
  }
  const auto length_of = static_cast<float>(std::max(std::sqrt(squares), kLeast));
  for (std::int64_t i = 0; i < out; ++i) {
    vector[i] = vector[i] / length_of * parts_.config.scale;
  }
}

RowsOut Forward::normed(Member& member, const float* from, std::int64_t rows, const NormWeights& norm,
                        const Linear& linear) {
  const RowsOut to = linear.activations(space_.activations.at(), space_.steps.at<float>());
  const RowsIn in{from, residual_stride_, false};
  member.loop(rows, grain(member, rows, parts_.width), [&](std::int64_t begin, std::int64_t end) {
    norm_rows(in, begin, end, parts_.width, norm.view(), to);
  });
  passed(member, Phase::kNorm);
  return to;
}

RowsOut Forward::converted(Member& member, const void* from, std::int64_t stride, std::int64_t rows,
                           const Linear& linear) {
  const RowsOut to = linear.activations(space_.activations.at(), space_.steps.at<float>());
  const RowsIn in{from, stride, parts_.bf16()};
  member.loop(rows, grain(member, rows, linear.inputs()), [&](std::int64_t begin, std::int64_t end) {
    convert_rows(in, begin, end, linear.inputs(), to);
  });
  passed(member, Phase::kQuantise);
  return to;
}

Target Forward::to_inner(Buffer& buffer, std::int64_t numbers, After after) const {
  return {buffer.at(), inner_stride(numbers), parts_.bf16(), after};
}

Target Forward::to_residual(float* rows) const { return {rows, residual_stride_, false, After::kAdd}; }

void Forward::passed(Member& member, Phase phase) {
  if (times_ == nullptr || member.number() != 0) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  (*times_)[static_cast<std::size_t>(phase)] += std::chrono::duration<double>(now - since_).count();
  since_ = now;
}

}  // namespace bindrt::native
