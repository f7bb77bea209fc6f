"""From a checkpoint to a bundle: ``bind-export``. The only package here that imports torch.

``checkpoints`` reads weights without executing anything, ``architecture`` is the model, ``trace``
and ``weights`` write each encoder's graph and weights, ``verify`` compares them with torch, and
``exporter`` puts the bundle together. ``check``, ``command`` and ``cli`` need no torch.
"""
