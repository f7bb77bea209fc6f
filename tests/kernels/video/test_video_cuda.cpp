// Video crops on the simulator against the CPU side: the same numbers.
#include <cstdint>
#include <deque>
#include <vector>

#include "kernels/video/video_gpu.h"
#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

constexpr std::int64_t kCrop = std::int64_t{kPictureSide} * kPictureSide;

struct Shape {
  PixelFormat format;
  std::int32_t width;
  std::int32_t height;
  std::int32_t quarter_turns;
};

// Planes of random bytes with rows longer than they must be.
struct Frame {
  explicit Frame(const Shape& shape) : turns(shape.quarter_turns) {
    const std::int32_t chroma = chroma_size(shape.width);
    const bool yuv = shape.format != PixelFormat::kRgb24;
    const std::int32_t widths[3] = {yuv ? shape.width : 3 * shape.width,
                                    shape.format == PixelFormat::kNv12 ? 2 * chroma : chroma, chroma};
    const int planes = !yuv ? 1 : shape.format == PixelFormat::kNv12 ? 2 : 3;
    picture = {shape.format, shape.width, shape.height, {}, {}, yuv_matrix(YuvStandard::kBt709, false)};
    Random random(static_cast<unsigned>(shape.width * 7 + shape.height));
    for (int plane = 0; plane < planes; ++plane) {
      const std::int32_t rows = plane == 0 ? shape.height : chroma_size(shape.height);
      const std::int32_t stride = widths[plane] + 5;
      bytes.emplace_back(static_cast<std::size_t>(stride) * static_cast<std::size_t>(rows));
      for (std::uint8_t& byte : bytes.back()) {
        byte = static_cast<std::uint8_t>(random.below(256));
      }
      memory.emplace_back(bytes.back());
      picture.planes[plane] = bytes.back().data();
      picture.strides[plane] = stride;
    }
  }

  DecodedPicture on_device() const {
    DecodedPicture moved = picture;
    for (std::size_t plane = 0; plane < memory.size(); ++plane) {
      moved.planes[plane] = memory[plane].data();
    }
    return moved;
  }

  std::int32_t turns;
  DecodedPicture picture;
  std::deque<std::vector<std::uint8_t>> bytes;
  std::deque<DeviceArray<std::uint8_t>> memory;
};

// All three crops of every frame, one after the other: [frames, 3 crops, 3 colours, 224, 224].
template <class Number>
void compare(const std::vector<Shape>& shapes, OutType type) {
  std::deque<Frame> frames;
  const auto numbers = static_cast<std::size_t>(9 * kCrop);
  std::vector<CropTarget> targets;
  for (const Shape& shape : shapes) {
    frames.emplace_back(shape);
    const auto first = static_cast<std::int64_t>(targets.size()) * 3 * kCrop;
    for (std::int32_t crop = 0; crop < kVideoCrops; ++crop) {
      targets.push_back({crop, first + crop * 3 * kCrop});
    }
  }
  const DeviceArray<Number> out(shapes.size() * numbers);
  std::vector<Number> want(shapes.size() * numbers);
  std::vector<CropRequest> requests;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Frame& frame = frames[i];
    CropRequest request{frame.picture, frame.turns, &targets[i * 3], 3, want.data(), type, kCrop};
    CHECK(video_crops(request, 1));
    request.frame = frame.on_device();
    request.out = out.data();
    requests.push_back(request);
  }
  SimQueue queue;
  video_crops_gpu(queue, requests.data(), static_cast<std::int64_t>(requests.size()));
  const std::vector<Number> got = out.download();
  std::size_t different = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    different += got[i] == want[i] ? 0 : 1;
  }
  CHECK(different == 0);
}

}  // namespace

int main() {
  compare<float>({{PixelFormat::kYuv420p, 97, 54, 0}, {PixelFormat::kNv12, 50, 81, 1}}, OutType::kFloat32);
  compare<std::uint16_t>({{PixelFormat::kRgb24, 40, 33, 2}, {PixelFormat::kYuv420p, 30, 64, 3}},
                         OutType::kFloat16);
  compare<float>({{PixelFormat::kRgb24, 1, 1, 0}}, OutType::kFloat32);
  return bindrt::testing::finish();
}
