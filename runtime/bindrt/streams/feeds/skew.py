"""How far the clocks of two sensors drift apart."""

from __future__ import annotations

from collections.abc import Mapping

_SETTLED = 64  # pieces after which the distance of the two clocks is taken as usual
_NOTED = 0.02  # seconds
_SPREADS = 3.0  # of the distance: what the lengths of the pieces do to it is no drift


class Skew:
    """Follows the distance of the newest times of two sensors, whose pieces come in turns."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._pieces = 0
        self._mean = self._usual = self._spread = 0.0

    def look(self, newest: Mapping[str, float | None]) -> None:
        """The newest times, after each piece."""
        acc, gyro = newest.get("acc"), newest.get("gyro")
        if acc is None or gyro is None:
            return
        self._pieces += 1
        weight = 1 / min(self._pieces, _SETTLED)
        self._mean += (acc - gyro - self._mean) * weight
        self._spread += (abs(acc - gyro - self._mean) - self._spread) * weight
        if self._pieces <= _SETTLED:
            self._usual = self._mean

    @property
    def seconds(self) -> float:
        """By how much the accelerometer's clock has gained on the gyroscope's; 0 while that is little."""
        drift = self._mean - self._usual
        return round(drift, 4) if abs(drift) > max(_NOTED, _SPREADS * self._spread) else 0.0
