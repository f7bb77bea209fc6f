"""Preprocessing against what the original uses and the best libraries.

Every library runs in a process of its own, most in an environment of their own that the bench makes
(``environments``). The processes take turns, so that a machine that slows down slows all of them, and
each times only its own calls (``worker``). What they do is in ``libraries``, one module a process.
"""
