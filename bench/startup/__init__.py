"""How soon an encoder gives its first vector, its memory, its later speed.

bindrt's two start-up modes against PyTorch loading a checkpoint of the same weights. Each measurement is a
process of its own; the ways take turns. *Warm*: the files are in the page cache. *Cold*: they were put out
of it. Beside seconds stand seconds of processor time: with one thread they hold on a busy machine as well.
"""
