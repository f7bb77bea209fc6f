"""From a checkpoint to a bundle: ``bind-export``. The only package here that imports torch.

Start to read at ``exporter``: its ``run`` is a whole export from top to bottom. The rooms, in the order in
which an export goes through them:

* ``checkpoints`` reads weights without executing anything.
* ``architecture`` is the model, ``passes`` rewrites it.
* ``artifacts`` holds what a bundle is made of, how each piece is made, and the store that finds it again.
* ``tracing`` writes an encoder's graph and weights, ``precision`` other precisions of them.
* ``verification`` compares with torch on the probes.
* ``bundle`` writes the manifest and the report, and swaps the finished bundle into place.

``check``, ``command`` and ``cli`` need no torch.
"""
