"""Each encoder beside what a user would use instead, at imagebind_huge's sizes with random weights.

Ways (``ways.py``): PyTorch, torch.compile, and a plain ``torch.onnx.export`` in ONNX Runtime and
OpenVINO, each in float32, bf16 and int8 where it has them, by the makers' own quantisers; and the bundle
in every engine and precision that ``bindrt.load`` offers here. Each timing is a process of its own, so
that one encoder is in memory once; the ways take turns. The limit is the bare peak of the processor's
unit for the precision, or the time to read the weights, whichever is longer. Peers of the extra
``bench`` that are not installed are named.
Texts are captions of 10 tokens: the others compute all 77, as the original does.
"""
