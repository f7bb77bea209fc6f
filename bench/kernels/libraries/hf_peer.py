"""hf-processors-rs: Hugging Face's CLIP processor in Rust, bit-exact to Pillow's."""

from __future__ import annotations

from typing import Any

import numpy as np
from hf_processors_rs import ImageProcessor

from bench.kernels.alternative import Call, alternative
from bench.kernels.libraries import constants as c

PACKAGES = ("hf-processors-rs", "numpy")
CONFIG = {
    "image_processor_type": "CLIPImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": c.SIDE},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": c.SIDE, "width": c.SIDE},
    "do_normalize": True,
    "do_convert_rgb": True,
    "image_mean": list(c.MEAN),
    "image_std": list(c.STD),
}
PIL = ImageProcessor.from_dict(CONFIG, backend="pil")
FAST = ImageProcessor.from_dict(CONFIG, backend="torchvision")
NAME, FAST_NAME = "hf-processors-rs", "hf-processors-rs, torchvision's"
NOTE = "reproduces torchvision's resize of tensors, not Pillow's"


def file_with(processor: ImageProcessor) -> Any:
    def make(path: str, threads: int) -> Call:
        return lambda: processor(path, num_threads=threads)[0]

    return make


def pixels_with(processor: ImageProcessor) -> Any:
    def make(pixels: str, threads: int) -> Call:
        array = np.load(pixels)
        return lambda: processor(array, num_threads=threads, input_data_format="channels_last")[0]

    return make


alternative("image-file", NAME)(file_with(PIL))
alternative("image", NAME)(pixels_with(PIL))
alternative("image-file", FAST_NAME, same_work=False, note=NOTE)(file_with(FAST))
alternative("image", FAST_NAME, same_work=False, note=NOTE)(pixels_with(FAST))
