// Decoding on an NVIDIA GPU by FFmpeg's NVDEC: frames stay in the GPU's memory, as NV12.
#pragma once

#include <string_view>

#include "csrc/video/ffmpeg.h"
#include "kernels/base/decoded.h"

namespace bindrt::video {

// Whether frames of this codec are the same whichever decoder makes them: its standard defines every bit.
bool is_exact_codec(std::string_view name) noexcept;

// Has a context, which is not open yet, decode in the film's context and on its stream, or refuse. False if
// FFmpeg or the driver cannot do that. The film must outlive the context.
bool use_device(const Ffmpeg& library, AvContext* context, const kernels::DeviceFilm& film) noexcept;

// Whether a frame is in a GPU's memory, as NV12 from its first pixel on.
bool is_nv12_on_device(const Ffmpeg& library, const AvFrame& frame) noexcept;

}  // namespace bindrt::video
