"""Load and its measures: what ``bind-bench`` runs; docs/bind-bench.md says what the numbers mean.

``systems`` are what is measured, ``scenarios`` how it is loaded, ``search`` finds a rate, ``side`` is a
process with one system, ``plan`` takes turns among sides, ``tables`` and ``plots`` show what came out.
"""
