"""Where labels of points go: near their points, on no other label, no point, not over the edge."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_DIRECTIONS = (45, 315, 135, 225, 90, 270, 0, 180)
"""Degrees from the right, the first that has room is taken."""


class Box(NamedTuple):
    """A rectangle; y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        """Whether the two have a point inside in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def within(self, other: Box) -> bool:
        """Whether it lies in the other."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.bottom <= self.bottom
            and self.top <= other.top
        )

    def distance(self, x: float, y: float) -> float:
        """How far a point is from it; 0 inside."""
        across = max(self.left - x, 0.0, x - self.right)
        return math.hypot(across, max(self.bottom - y, 0.0, y - self.top))


class Point(NamedTuple):
    """A point and the size of its label, all in one unit; ``reach`` is how far away it may be."""

    x: float
    y: float
    width: float
    height: float
    reach: float


def place(
    points: Sequence[Point], room: Box, taken: Sequence[Box], radius: float
) -> list[Box | None]:
    """A box for the label of each point, those first that come first; None where none is free.

    ``taken`` are boxes that no label may meet, ``radius`` the distance that is tried first.
    """
    used = list(taken)
    found: list[Box | None] = []
    for point in points:
        box = next(
            (
                box
                for box in _candidates(point, radius)
                if box.within(room) and not any(box.meets(other) for other in used)
            ),
            None,
        )
        if box is not None:
            used.append(box)
        found.append(box)
    return found


def _candidates(point: Point, radius: float) -> Iterator[Box]:
    """Boxes whose nearest side or corner is a growing distance away from the point."""
    away = radius
    while away <= max(point.reach, radius):
        for degrees in _DIRECTIONS:
            across, up = (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
            across, up = round(across, 9), round(up, 9)  # a right angle's are 0
            left = point.x + away * across - point.width * (1 - _sign(across)) / 2
            bottom = point.y + away * up - point.height * (1 - _sign(up)) / 2
            yield Box(left, bottom, left + point.width, bottom + point.height)
        away += radius


def _sign(value: float) -> float:
    return math.copysign(1.0, value) if value else 0.0
