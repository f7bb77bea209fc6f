// The door to the video op on a GPU.
#include "kernels/video/video_gpu.h"

#include <vector>

#include "csrc/python/arguments/arrays.h"
#include "csrc/python/decoders/picture.h"
#include "csrc/python/gpu/run_op.h"

namespace py = pybind11;

namespace bindrt::gpu {
namespace {

using kernels::DecodedPicture;
using kernels::kPictureSide;
using kernels::kVideoCrops;
using kernels::PixelFormat;

constexpr std::int64_t kPlane = std::int64_t{kPictureSide} * kPictureSide;

DecodedPicture picture_to_device(kernels::GpuQueue& queue, const DecodedPicture& host) {
  DecodedPicture moved = host;
  const int planes = host.format == PixelFormat::kRgb24 ? 1 : host.format == PixelFormat::kNv12 ? 2 : 3;
  for (int plane = 0; plane < planes; ++plane) {
    const bool chroma = plane > 0;
    const std::int64_t width = chroma ? kernels::chroma_size(host.width) : host.width;
    const std::int64_t height = chroma ? kernels::chroma_size(host.height) : host.height;
    const std::int64_t bytes = planes == 1 ? 3 : chroma && planes == 2 ? 2 : 1;  // for each step in a row
    moved.planes[plane] = static_cast<const std::uint8_t*>(
        rows_to_device(queue, host.planes[plane], width * bytes, height, host.strides[plane]));
  }
  return moved;
}

// Crop c of item i is written to place (3 i + c) of the batch.
std::vector<kernels::CropTarget> targets_of(std::int64_t items) {
  std::vector<kernels::CropTarget> targets;
  for (std::int64_t item = 0; item < items; ++item) {
    for (std::int32_t crop = 0; crop < kVideoCrops; ++crop) {
      targets.push_back({crop, (item * kVideoCrops + crop) * 3 * kPlane});
    }
  }
  return targets;
}

py::tuple video_crops(const py::sequence& objects, int quarter_turns, bool half, int rounds, int device) {
  std::vector<DecodedPicture> frames;
  for (const py::handle& object : objects) {
    frames.push_back(picture_in(py::reinterpret_borrow<py::object>(object)));
  }
  const auto items = static_cast<py::ssize_t>(frames.size());
  const std::vector<kernels::CropTarget> targets = targets_of(items);
  const std::int32_t turns = ((quarter_turns % 4) + 4) % 4;
  const py::array out = batch_array(half, {items, kVideoCrops, 3, kPictureSide, kPictureSide});
  const auto type = out_type(half);
  const auto seconds =
      run_op(device, rounds, {out}, [&](kernels::GpuQueue& queue, const std::vector<void*>& outputs) {
        std::vector<kernels::CropRequest> requests;
        for (py::ssize_t item = 0; item < items; ++item) {
          requests.push_back({picture_to_device(queue, frames[static_cast<std::size_t>(item)]), turns,
                              targets.data() + item * kVideoCrops, kVideoCrops, outputs[0], type, kPlane});
        }
        return [&queue, requests] {
          kernels::video_crops_gpu(queue, requests.data(), static_cast<std::int64_t>(requests.size()));
        };
      });
  return py::make_tuple(out, seconds);
}

}  // namespace

void bind_video(py::module_& module) {
  module.def(
      "video_crops", &video_crops, py::arg("pictures"), py::kw_only(), py::arg("quarter_turns") = 0,
      py::arg("half") = false, py::arg("rounds") = 1, py::arg("device") = 0,
      "As `_core.video_crops`, for a list of `Picture`: their three crops each, [items, 3, 3, 224, 224], "
      "and the seconds.");
}

}  // namespace bindrt::gpu
