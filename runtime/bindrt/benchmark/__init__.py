"""Measuring systems that embed: what ``bind-bench`` and ``python -m bench`` share.

``systems`` are what is measured, and ``registry`` names them. ``scenarios`` says how requests reach a system;
``rate_search`` finds a rate. ``worker`` is the process of one system, ``worker_process`` its parent's end.
``comparison`` lets several take turns; ``tables`` and ``plots`` show what was found.

``timing``, ``distributions``, ``machine``, ``json_process``, ``svg``, ``synthetic`` and ``results`` serve any
measurement. docs/bind-bench.md says what the numbers mean.
"""
