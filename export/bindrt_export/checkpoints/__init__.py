"""Checkpoints: from a file or ``random:SEED`` to our encoders' parameters.

``files`` and ``random_weights`` give named tensors. ``imagebind`` and ``openclip`` say which tensors a
checkpoint must have (``layout``) and which parameter each becomes; ``huge`` has imagebind_huge's numbers.
``checkpoint`` brings the two together.
"""

from bindrt_export.checkpoints.checkpoint import Checkpoint, open_checkpoint

__all__ = ["Checkpoint", "open_checkpoint"]
