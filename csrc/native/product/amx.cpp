// The products on the processor's matrix tiles, AMX.
#include "csrc/native/product/kernels.h"

#if defined(__x86_64__) && defined(__linux__)

#include <algorithm>

#include "csrc/native/product/amx_tiles.h"
#include "csrc/native/product/epilogue.h"
#include "csrc/native/product/tile_product.h"

namespace bindrt::native {
namespace {

struct Unit : ProcessorTiles {
  template <class Sum>
  BINDRT_AVX512 static void finish(const PackedWeight& weight, const Activations& rows_in, std::int64_t row,
                                   std::int64_t column, std::int64_t columns, const Sum* sums,
                                   const Target& target) {
    if (columns == kPanel) {
      finish_columns<kPanel>(weight, rows_in, row, column, sums, target);
    } else {
      finish_columns<kPanel / 2>(weight, rows_in, row, column, sums, target);
    }
  }
};

// The second cache has 2 MB on every processor with AMX. Four fifths are for the activations and a panel, the
// rest for the next panel as it is fetched and for what is written. Beyond 704 rows nothing is gained:
// weights pass less often than memory could bring them.
std::int64_t good_rows(std::int64_t row_bytes) noexcept {
  constexpr std::int64_t kBytes = 2 * 1024 * 1024 / 5 * 4;
  return std::clamp<std::int64_t>(kBytes / std::max<std::int64_t>(row_bytes, 1) - kPanel, 64, 704);
}

template <Numbers kNumbers>
std::int64_t good_rows_of(std::int64_t inputs) noexcept {
  return good_rows(padded_inputs(kNumbers, inputs) * bytes_of(kNumbers));
}

bool int8_usable() noexcept { return tiles_usable("amx_int8"); }
bool bf16_usable() noexcept { return tiles_usable("amx_bf16"); }

template <Numbers kNumbers>
void run(const PackedWeight& weight, const Activations& rows_in, std::int64_t rows, std::int64_t first,
         std::int64_t last, const Target& target) noexcept {
  tiles::Product<Unit, kNumbers>(weight, rows_in, rows, target).run(first, last);
}

// With some hundred rows a panel is computed about as fast as memory brings it.
constexpr std::int64_t kGoodPanels = 4;

}  // namespace

const ProductKernel kAmxInt8{"amx_int8",           Numbers::kInt8,
                             &int8_usable,         &good_rows_of<Numbers::kInt8>,
                             &run<Numbers::kInt8>, kGoodPanels};
const ProductKernel kAmxBf16{"amx_bf16",           Numbers::kBf16,
                             &bf16_usable,         &good_rows_of<Numbers::kBf16>,
                             &run<Numbers::kBf16>, kGoodPanels};

}  // namespace bindrt::native

#endif
