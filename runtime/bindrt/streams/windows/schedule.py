"""When each window of a recording begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from bindrt.errors import OptionError
from bindrt.numeric import is_positive

_FINEST = 1_000_000  # parts of a second in which windows and hops are counted
_SHORTEST, _LONGEST = 0.025, 3600.0  # seconds of a window
_CLOSEST = 0.01  # seconds from a window to the next
_WORTH = Fraction(1, 10)  # of a hop: a shorter rest has no window of its own


@dataclass(frozen=True)
class Schedule:
    """Window ``n`` begins ``n`` hops after ``origin``; all in seconds.

    >>> schedule = Schedule.of(2.0, 0.1)
    >>> schedule.start(3), schedule.end(3)
    (0.3, 2.3)
    """

    window: Fraction
    hop: Fraction
    origin: Fraction = Fraction(0)

    @classmethod
    def of(cls, window: object, hop: object, origin: float = 0.0) -> Schedule:
        """A checked schedule; a hop of None is half a window.

        Raises:
            OptionError: a window is not 0.025 to 3600 s long, or a hop is shorter than 0.01 s.
        """
        if not is_positive(window) or not _SHORTEST <= float(window) <= _LONGEST:
            raise OptionError(
                f"window={window!r}"[:80],
                "not the length of a window",
                f"give {_SHORTEST:g} to {_LONGEST:g} seconds",
            )
        length = _exact(window)
        if hop is None:
            return cls(length, length / 2, _exact(origin))
        if not is_positive(hop) or float(hop) < _CLOSEST:
            raise OptionError(f"hop={hop!r}"[:80], "not a hop", f"give at least {_CLOSEST:g} seconds")
        return cls(length, _exact(hop), _exact(origin))

    def start(self, number: int) -> float:
        return float(self.origin + number * self.hop)

    def end(self, number: int) -> float:
        return float(self.origin + number * self.hop + self.window)

    def rest(self, whole: int, seconds: float) -> int | None:
        """The number of a last, shorter window; None if the whole ones leave next to nothing.

        Args:
            whole: how many whole windows there are.
            seconds: the length of the recording, from ``origin``.
        """
        covered = (whole - 1) * self.hop + self.window if whole else Fraction(0)
        left = Fraction(seconds) - max(covered, whole * self.hop if self.hop > self.window else covered)
        return whole if left > (_WORTH * self.hop if whole else 0) else None


def _exact(seconds: object) -> Fraction:
    return Fraction(float(seconds)).limit_denominator(_FINEST)  # type: ignore[arg-type]
