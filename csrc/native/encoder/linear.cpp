// Shares out a product's panels and rows.
#include "csrc/native/encoder/linear.h"

#include <algorithm>
#include <stdexcept>

namespace bindrt::native {
namespace {

// Multiplications of a piece: long enough for taking it to cost nothing.
constexpr std::int64_t kPieceWork = std::int64_t{1} << 22;
// Pieces that each member should find at least, so that all end at about the same time.
constexpr std::int64_t kPiecesEach = 8;

// Inputs of an 8-bit layer at most, whose sums fit 32 bits whatever the numbers are.
constexpr std::int64_t kMostInt8Inputs = 65536;
static_assert(255 * 128 * kMostInt8Inputs < std::int64_t{1} << 31);

std::vector<float> padded(std::vector<float> numbers, std::int64_t outputs) {
  numbers.resize(static_cast<std::size_t>(panels_of(outputs) * kPanel), 0.0F);
  return numbers;
}

const Tensor& quantised_weight(const std::string& name, const Tensor& tensor, std::int64_t inputs,
                               std::int64_t outputs, Numbers numbers) {
  if (numbers != Numbers::kInt8) {
    throw std::invalid_argument(name + ": 8-bit weights compute only as 8-bit integers");
  }
  if (tensor.stored != Stored::kInt8) {
    throw std::invalid_argument(name + ": has floats, not 8-bit integers");
  }
  require_shape(name, tensor, {inputs, outputs});
  if (tensor.shape[0] > kMostInt8Inputs) {
    throw std::invalid_argument(name + ": has more than " + std::to_string(kMostInt8Inputs) + " inputs");
  }
  return tensor;
}

// What a layer with float weights computes with: among 8-bit layers, bf16. It rounds far less than 8 bits do,
// and takes half the time of float32 on processors that have 8-bit units.
Numbers of_floats(Numbers numbers) { return numbers == Numbers::kInt8 ? Numbers::kBf16 : numbers; }

// Panels of a piece by the kernel's wish, in pieces that share out evenly.
std::int64_t wanted_panels(const ProductKernel& kernel, std::int64_t panels, std::int64_t members) {
  if (kernel.good_panels == 1) {
    return 1;
  }
  const std::int64_t pieces = std::max<std::int64_t>(1, panels / (kernel.good_panels * members)) * members;
  return (panels + pieces - 1) / pieces;
}

}  // namespace

Linear Linear::make(const Reader& reader, Packing& packing, const std::string& name, std::int64_t inputs,
                    std::int64_t outputs, Numbers numbers) {
  Linear linear;
  const std::string weight = name + ".weight";
  if (const Tensor* const tensor = reader.exactly(weight + ".int8")) {
    quantised_weight(weight + ".int8", *tensor, inputs, outputs, numbers);
    linear.weight_ =
        packing.add(Stored::kInt8, tensor->data, tensor->shape[0], tensor->shape[1], Numbers::kInt8);
    linear.scale_ = padded(reader.numbers(weight + ".scale", {linear.outputs()}), linear.outputs());
    if (const Tensor* const step = reader.find(name + ".step")) {
      linear.step_ = stored_number(step->stored, step->data, 0);
      if (!(linear.step_ > 0.0F)) {
        throw std::invalid_argument(name + ".step: must be above 0");
      }
    }
  } else {
    const Tensor& floats = reader.floats(weight, {inputs, outputs});
    linear.weight_ =
        packing.add(floats.stored, floats.data, floats.shape[0], floats.shape[1], of_floats(numbers));
  }
  const std::vector<float> bias = reader.optional(name + ".bias", {linear.outputs()});
  if (!bias.empty()) {
    linear.bias_ = padded(bias, linear.outputs());
  }
  return linear;
}

Linear Linear::make_convolution(const Reader& reader, Packing& packing, const std::string& name,
                                const std::vector<std::int64_t>& shape, Numbers numbers) {
  const std::vector<float> weight = reader.numbers(name + ".weight", shape);
  const std::int64_t outputs = reader.floats(name + ".weight", shape).shape[0];
  Linear linear;
  linear.weight_ = packing.add_transposed(weight, static_cast<std::int64_t>(weight.size()) / outputs, outputs,
                                          of_floats(numbers));
  return linear;
}

std::int64_t Linear::stride() const {
  return row_bytes(padded_inputs(weight_.numbers, inputs()) * bytes_of(weight_.numbers));
}

RowsOut Linear::activations(void* memory, float* steps) const {
  return {weight_.numbers, memory, stride(), padded_inputs(weight_.numbers, inputs()), steps, step_};
}

PackedWeight Linear::view() const {
  PackedWeight weight = weight_;
  weight.bias = bias_.empty() ? nullptr : bias_.data();
  weight.scale = scale_.empty() ? nullptr : scale_.data();
  return weight;
}

void Linear::run(Member& member, const RowsOut& rows_in, std::int64_t rows, const Target& target) const {
  const ProductKernel& kernel = product_kernel(weight_.numbers);
  const PackedWeight weight = view();
  const std::int64_t panels = panels_of(outputs());
  const std::int64_t good = std::max<std::int64_t>(1, kernel.good_rows(inputs()));
  const std::int64_t chunks = (rows + good - 1) / good;
  const std::int64_t panel_work = (rows + chunks - 1) / chunks * inputs() * kPanel;
  const std::int64_t fair = std::max<std::int64_t>(1, chunks * panels / (kPiecesEach * member.members()));
  const std::int64_t wanted = wanted_panels(kernel, chunks * panels, member.members());
  const std::int64_t together = std::min(panels, std::max(wanted, std::min(fair, kPieceWork / panel_work)));
  const std::int64_t groups = (panels + together - 1) / together;
  const std::int64_t target_bytes = target.bf16 ? 2 : 4;
  member.loop(chunks * groups, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t first = piece / groups * rows / chunks;
      const std::int64_t last = (piece / groups + 1) * rows / chunks;
      const std::int64_t group = piece % groups;
      const Activations part{static_cast<const char*>(rows_in.data) + first * rows_in.stride, rows_in.stride,
                             rows_in.steps == nullptr ? nullptr : rows_in.steps + first};
      Target to = target;
      to.data = static_cast<char*>(target.data) + first * target.stride * target_bytes;
      kernel.run(weight, part, last - first, group * panels / groups, (group + 1) * panels / groups, to);
    }
  });
}

}  // namespace bindrt::native
