"""bindrt's pipeline on a GPU that has PyTorch but no TensorRT: the encoders run in PyTorch as GPU engines.

What is measured of the pipeline then holds for any engine of that speed. It is compared with the same module
called directly, and with the usual way: torchvision's decoding on the GPU.
"""
