// Pictures on the simulator against the CPU side: the same numbers.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "kernels/image/image.h"
#include "kernels/image/image_gpu.h"
#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

struct Host {
  Host(std::int32_t width, std::int32_t height, PixelLayout layout, std::int32_t gap, unsigned seed)
      : picture{nullptr, width, height, std::int64_t{width} * pixel_bytes(layout) + gap, layout},
        bytes(static_cast<std::size_t>(picture.row_stride * height - gap)) {
    Random random(seed);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(seed % 2 == 0 ? random.below(256) : random.below(2) * 255);
    }
    picture.pixels = bytes.data();
  }
  Host(const Host&) = delete;

  Picture picture;
  std::vector<std::uint8_t> bytes;
};

template <class Number>
void compare(const std::vector<const Host*>& hosts, const ByteScale& scale, std::int32_t side) {
  const OutType type = sizeof(Number) == 4 ? OutType::kFloat32 : OutType::kFloat16;
  const auto numbers = static_cast<std::size_t>(scale.planes * side * side);
  SimQueue queue;
  std::deque<DeviceArray<std::uint8_t>> memory;  // which are not moved
  std::vector<Picture> pictures;
  for (const Host* host : hosts) {
    memory.emplace_back(host->bytes);
    pictures.push_back(host->picture);
    pictures.back().pixels = memory.back().data();
  }
  const DeviceArray<Number> out(hosts.size() * numbers);
  image_to_input_gpu(queue, pictures.data(), static_cast<std::int64_t>(hosts.size()), scale, side, type,
                     out.data());
  const std::vector<Number> got = out.download();
  std::vector<Number> want(numbers);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    CHECK(image_to_input(hosts[i]->picture, scale, side, type, want.data(), 1));
    for (std::size_t k = 0; k < numbers; ++k) {
      CHECK(got[i * numbers + k] == want[k]);
    }
  }
}

}  // namespace

int main() {
  const Host wide(90, 41, PixelLayout::kRgb, 0, 1);
  const Host tall(33, 70, PixelLayout::kBgr, 5, 2);
  const Host small(5, 3, PixelLayout::kRgbx, 0, 3);
  const Host same(37, 37, PixelLayout::kBgrx, 1, 4);
  const Host grey(120, 64, PixelLayout::kGrey, 3, 5);
  const Host line(2000, 1, PixelLayout::kRgb, 0, 6);
  const Host column(1, 700, PixelLayout::kGrey, 0, 7);
  compare<float>({&wide, &tall, &small, &same, &grey, &line, &column}, kClipScale, 37);
  compare<std::uint16_t>({&tall, &tall, &grey}, kClipScale, 32);
  compare<float>({&column, &grey}, kUnitScale, 9);
  compare<float>({&line}, kClipScale, 1);
  compare<float>({}, kClipScale, 5);
  return bindrt::testing::finish();
}
