// A product as a sequence of blocks: which rows and weights each takes, and when the next weights are
// fetched.
#include "csrc/native/product/blocks.h"

#include <algorithm>

namespace bindrt::native {
namespace {

// Rows whose sums are kept while the pieces of a large panel are passed through.
constexpr std::int64_t kKeptRows = 96;
constexpr std::int64_t kSumBytes = 4;
constexpr std::int64_t kLine = 64;
// Groups of inputs whose weights serve all rows before the next are read. Two such pieces, the one in use and
// the next, stand in a core's own cache beside the activations: 384 KiB each.
constexpr std::int64_t kPieceGroups = 1536;
// For few rows the memory is the limit, and 8 KiB, fetched just before they are used, came fastest.
constexpr std::int64_t kFewRows = 24;
constexpr std::int64_t kFewRowsGroups = 32;

// Where part `part` begins of `count` things that are shared out evenly in `parts` parts.
constexpr std::int64_t share(std::int64_t count, std::int64_t parts, std::int64_t part) {
  return count / parts * part + std::min(part, count % parts);
}

class Run {
 public:
  Run(const BlockKernel& kernel, const PackedWeight& weight, const Activations& rows_in, std::int64_t rows,
      const Target& target)
      : kernel_(kernel), weight_(weight), rows_in_(rows_in), rows_(rows), target_(target) {
    width_ = group_of(kernel.numbers) * bytes_of(kernel.numbers);
    groups_ = padded_inputs(kernel.numbers, weight.inputs) / group_of(kernel.numbers);
    const std::int64_t most = rows <= kFewRows ? kFewRowsGroups : kPieceGroups;
    pieces_ = (groups_ + most - 1) / most;
  }

  void compute(std::int64_t first, std::int64_t last) {
    const std::int64_t together = pieces_ == 1 ? rows_ : kKeptRows;
    for (std::int64_t panel = first; panel < last; ++panel) {
      for (std::int64_t row = 0; row < rows_; row += together) {
        for (std::int64_t piece = 0; piece < pieces_; ++piece) {
          if (piece + 1 < pieces_) {
            ahead_ = {panel, piece + 1};
          } else if (row + together < rows_) {
            ahead_ = {panel, 0};
          } else {
            ahead_ = {panel + 1, 0};
          }
          pass(row, std::min(together, rows_ - row), {panel, piece}, ahead_.panel < last);
        }
      }
    }
  }

 private:
  struct Place {
    std::int64_t panel = 0;
    std::int64_t piece = 0;
  };

  const std::uint8_t* weights(const Place& place) const {
    return static_cast<const std::uint8_t*>(weight_.data) +
           (place.panel * groups_ + share(groups_, pieces_, place.piece)) * width_ * kPanel;
  }
  std::int64_t groups(const Place& place) const {
    return share(groups_, pieces_, place.piece + 1) - share(groups_, pieces_, place.piece);
  }

  // Rows times one piece, block after block, each of which fetches its part of what follows.
  void pass(std::int64_t first_row, std::int64_t rows, const Place& place, bool fetch) {
    const std::int64_t blocks = (rows + kernel_.most_rows - 1) / kernel_.most_rows;
    const std::int64_t lines = fetch ? groups(ahead_) * width_ * kPanel / kLine : 0;
    const bool last = place.piece + 1 == pieces_;
    const Block* const quicker = kernel_.quicker == nullptr
                                     ? nullptr
                                     : kernel_.quicker(weights(place), groups(place) * width_ * kPanel);
    const Block* const block_of = quicker == nullptr ? kernel_.blocks : quicker;
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t begin = share(rows, blocks, block);
      const std::int64_t count = share(rows, blocks, block + 1) - begin;
      const std::int64_t line = share(lines, blocks, block);
      const BlockInput input{static_cast<const std::uint8_t*>(rows_in_.data) +
                                 (first_row + begin) * rows_in_.stride +
                                 share(groups_, pieces_, place.piece) * width_,
                             rows_in_.stride,
                             weights(place),
                             groups(place),
                             fetch ? weights(ahead_) + line * kLine : nullptr,
                             share(lines, blocks, block + 1) - line};
      std::uint8_t* const sums = sums_ + (pieces_ == 1 ? 0 : begin * kPanel * kSumBytes);
      block_of[count - 1](input, place.piece > 0, sums);
      if (last) {
        kernel_.finish(weight_, rows_in_, first_row + begin, count, place.panel, sums, target_);
      }
    }
  }

  const BlockKernel& kernel_;
  const PackedWeight& weight_;
  const Activations& rows_in_;
  const std::int64_t rows_;
  const Target& target_;
  std::int64_t width_;   // bytes of a group of inputs
  std::int64_t groups_;  // of a row
  std::int64_t pieces_;  // of a panel
  Place ahead_;
  alignas(64) std::uint8_t sums_[kKeptRows * kPanel * kSumBytes];
};

}  // namespace

void run_blocks(const BlockKernel& kernel, const PackedWeight& weight, const Activations& rows_in,
                std::int64_t rows, std::int64_t first, std::int64_t last, const Target& target) noexcept {
  Run(kernel, weight, rows_in, rows, target).compute(first, last);
}

}  // namespace bindrt::native
