"""Fixtures of the tests of choosing engines."""

from __future__ import annotations

from support.toy_engine import toy_alone

__all__ = ["toy_alone"]
