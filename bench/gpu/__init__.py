"""The kernels on a GPU: each op compared with the CPU side, then timed on the device.

``bench/gpu_check.sh`` runs this and the tests. Over the simulated driver of tests/cudasim it compares, and
measures nothing.
"""
