"""What a user would use instead of bindrt: the plain model in PyTorch, ONNX Runtime or OpenVINO.

``plain`` makes the plain model from a bundle's float32 weights, ``ways`` runs it. As a program
(``python -m bindrt_export.peers``) it is a side of ``bind-bench --against``.
"""
