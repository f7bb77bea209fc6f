"""torchcodec: only the wanted frames are decoded and converted; then torch."""

from __future__ import annotations

from typing import Any

import torch
from torchcodec.decoders import VideoDecoder

from bench.kernels.alternative import Call, alternative
from bench.kernels.libraries import constants as c
from bench.kernels.libraries.crops import three_crops

PACKAGES = ("torch", "torchcodec", "av")

torch.set_grad_enabled(False)


@alternative("video-file", "torchcodec + torch", note="the FFmpeg inside PyAV's wheel")
def video_file(path: str, threads: int) -> Call:
    torch.set_num_threads(threads)

    def run() -> Any:
        decoder = VideoDecoder(path, num_ffmpeg_threads=threads, dimension_order="NHWC")
        count, fps = decoder.metadata.num_frames, decoder.metadata.average_fps
        pairs = [(clip[0], clip[-1]) for clip in c.frame_ranges(count, fps)]
        wanted = sorted({index for pair in pairs for index in pair})
        frames = decoder.get_frames_at(wanted).data.permute(3, 0, 1, 2).to(torch.float32)
        crops = three_crops(frames)
        places = [[wanted.index(index) for index in pair] for pair in pairs]
        return torch.cat([crops[:, :, place] for place in places])

    return run
