// The image kernels for Python.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/image/image_gpu.h"
#include "tests/cudasim/queue.h"
#include "tests/cudasim/run.h"

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

// RGB pixels [height, width, 3] as the encoder's input `out` [3, 224, 224].
BINDRT_CUDASIM_C int cudasim_image_input(const std::uint8_t* pixels, std::int32_t height, std::int32_t width,
                                         float* out) {
  return guarded([&] {
    SimQueue queue;
    const std::int64_t row = 3 * std::int64_t{width};
    const DeviceArray<std::uint8_t> input({pixels, pixels + row * height});
    const DeviceArray<float> output(std::size_t{3} * kPictureSide * kPictureSide);
    const Picture picture{input.data(), width, height, row, PixelLayout::kRgb};
    image_to_input_gpu(queue, &picture, 1, kClipScale, kPictureSide, OutType::kFloat32, output.data());
    copy_from_device(out, output.data(), output.size() * sizeof(float));
  });
}
