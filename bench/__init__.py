"""Measurements: ``python -m bench --help`` lists them. Each published number names the command that made it.

What ``bind-bench`` needs as well (timing, charts, processes, synthetic media) is in :mod:`bindrt.benchmark`.
"""
