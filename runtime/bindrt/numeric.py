"""Checks of numbers that users pass."""

from __future__ import annotations

import math
from typing import TypeGuard

import numpy as np


def is_number(value: object) -> TypeGuard[float]:
    """Whether ``value`` is a finite real number, of Python or NumPy; booleans are not."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def is_positive(value: object) -> TypeGuard[float]:
    """Whether ``value`` is a finite real number above 0."""
    return is_number(value) and value > 0
