"""Makes a CLIP model as large as bind-tiny's encoders, with random weights, given a folder and a tokenizer.

It runs in infinity's environment, and imports nothing of bindrt. What vectors mean is of no account where
speed is measured.
"""

from __future__ import annotations

import sys
from typing import Any

#: bind-tiny's: width and layers; heads; numbers of a vector. A picture of 224 pixels has patches of 14.
_TEXT, _VISION, _HEADS, _VECTOR = (48, 3), (96, 4), 4, 96


def make(folder: str, tokenizer: str) -> None:
    import transformers
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizerFast

    config = CLIPConfig(
        text_config={**_size(*_TEXT), "vocab_size": 49408, "max_position_embeddings": 77},
        vision_config={**_size(*_VISION), "image_size": 224, "patch_size": 14},
        projection_dim=_VECTOR,
    )
    transformers.set_seed(0)
    CLIPModel(config).save_pretrained(folder)
    words = CLIPTokenizerFast(tokenizer_file=tokenizer, model_max_length=77)
    CLIPProcessor(CLIPImageProcessor(), words).save_pretrained(folder)


def _size(width: int, layers: int) -> dict[str, Any]:
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": _HEADS,
    }


if __name__ == "__main__":
    make(*sys.argv[1:])
