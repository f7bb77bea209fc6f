"""From a checkpoint to a bundle: ``bind-export``. The only package here that imports torch.

Start to read at ``exporter``: its ``run`` is a whole export from top to bottom. ``checkpoints`` reads weights
without executing anything, ``architecture`` is the model, ``passes`` rewrites it, ``trace`` and ``weights``
write an encoder's graph and weights. ``artifacts`` holds what a bundle is made of and how each piece is made,
``precision`` writes graphs in other precisions, ``verify`` compares with torch on the ``probes``. ``staging``
is where a bundle is made. ``check``, ``command`` and ``cli`` need no torch.
"""
