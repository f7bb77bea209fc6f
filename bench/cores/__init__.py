"""How preparation scales with cores: what an item holds the interpreter's lock for, and what threads reach.

A machine with two cores does not show where threads stop gaining, so the time that an item holds the lock is
measured as well, and Amdahl's law says what it means for 16, 32 and 64 cores. On a machine with many cores
the curve is measured up to all of them.
"""
