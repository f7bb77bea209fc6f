// Packs weights panel by panel on the team.
#include "csrc/native/encoder/packing.h"

#include "csrc/native/team.h"

namespace bindrt::native {

PackedWeight Packing::add(Stored stored, const void* weight, std::int64_t inputs, std::int64_t outputs,
                          Numbers numbers) {
  auto* const data = static_cast<std::uint8_t*>(store_->take(packed_bytes(numbers, inputs, outputs)));
  std::int32_t* sums = nullptr;
  if (numbers == Numbers::kInt8) {
    const std::int64_t bytes = panels_of(outputs) * kPanel * std::int64_t{sizeof(std::int32_t)};
    sums = static_cast<std::int32_t*>(store_->take(bytes));
  }
  jobs_.push_back({stored, weight, inputs, outputs, numbers, data, sums});
  PackedWeight packed;
  packed.numbers = numbers;
  packed.inputs = inputs;
  packed.outputs = outputs;
  packed.data = data;
  packed.sums = sums;
  return packed;
}

PackedWeight Packing::add_transposed(const std::vector<float>& weight, std::int64_t inputs,
                                     std::int64_t outputs, Numbers numbers) {
  auto turned = std::make_unique<float[]>(weight.size());
  for (std::int64_t n = 0; n < outputs; ++n) {
    for (std::int64_t k = 0; k < inputs; ++k) {
      turned[static_cast<std::size_t>(k * outputs + n)] = weight[static_cast<std::size_t>(n * inputs + k)];
    }
  }
  turned_.push_back(std::move(turned));
  return add(Stored::kFloat32, turned_.back().get(), inputs, outputs, numbers);
}

void Packing::finish(int threads) {
  if (!store_->filled()) {
    run_on_team(threads, 0, [this](Member& member) {
      for (const Job& job : jobs_) {
        const std::int64_t bytes = padded_inputs(job.numbers, job.inputs) * kPanel * bytes_of(job.numbers);
        // One more piece for the sums.
        const std::int64_t panels = panels_of(job.outputs);
        member.loop(panels + (job.sums != nullptr ? 1 : 0), 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t panel = begin; panel < end; ++panel) {
            if (panel == panels) {
              column_sums(static_cast<const std::int8_t*>(job.weight), job.inputs, job.outputs, job.sums);
            } else {
              pack_panel(job.stored, job.weight, job.inputs, job.outputs, panel, job.numbers,
                         job.data + panel * bytes);
            }
          }
        });
      }
    });
  }
  jobs_.clear();
  turned_.clear();
}

}  // namespace bindrt::native
