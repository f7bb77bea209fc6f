"""Each encoder beside what a user would use instead, at imagebind_huge's sizes with random weights.

Ways: *eager* and *compile*: PyTorch's, of the plain model; *ort* and *openvino*: a plain
``torch.onnx.export`` of it in ONNX Runtime and OpenVINO with their defaults; *bindrt*, *bindrt-openvino* and
*bindrt-int8*: the bundle, in float32 and in int8. Each timing is a process of its own, so that one encoder
is in memory once; the ways take turns.
Texts are captions of 10 tokens: the others compute all 77, as the original does.
"""
