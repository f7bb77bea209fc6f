"""``bind-eval``: what a bundle knows, by the protocols of ImageBind's paper, on copies of its data sets.

A data set is one file of ``datasets/``: the layout in which it is published, what it asks, the published
figures. A protocol is one file of ``protocols/``.
"""
