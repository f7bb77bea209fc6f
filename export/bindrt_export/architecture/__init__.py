"""The encoders as PyTorch modules, written from published facts about the architecture.

``block`` (attention, MLP) → ``stem`` (patches, tokens) → ``encoder`` (all of it, with head and
scale). Parameter names are our own; :mod:`bindrt_export.checkpoints` maps each layout onto them.
"""

from bindrt_export.architecture.encoder import Encoder, EncoderConfig

__all__ = ["Encoder", "EncoderConfig"]
