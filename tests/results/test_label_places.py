"""Labels: beside their points, never on one another, on a point, or over the edge."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from layerwise.results.label_places import Box, Point, place

ROOM = Box(0, 0, 400, 300)
POINTS = st.lists(
    st.builds(
        Point,
        x=st.floats(0, 400),
        y=st.floats(0, 300),
        width=st.floats(5, 80),
        height=st.floats(5, 12),
        reach=st.sampled_from([5.0, 60.0]),
    ),
    max_size=25,
)


def overlap(a: Box, b: Box) -> float:
    """The area in common."""
    across = min(a.right, b.right) - max(a.left, b.left)
    up = min(a.top, b.top) - max(a.bottom, b.bottom)
    return max(across, 0.0) * max(up, 0.0)


@given(points=POINTS)
def test_no_label_is_on_another_on_a_point_or_over_the_edge(points: list[Point]) -> None:
    taken = [Box(p.x - 3, p.y - 3, p.x + 3, p.y + 3) for p in points]
    boxes = place(points, ROOM, taken, 5.0)
    placed = [box for box in boxes if box is not None]
    assert all(overlap(a, b) <= 1e-9 for a, b in itertools.combinations(placed, 2))
    assert all(overlap(box, other) <= 1e-9 for box in placed for other in taken)
    for point, box in zip(points, boxes, strict=True):
        if box is None:
            continue
        assert overlap(box, ROOM) == (box.right - box.left) * (box.top - box.bottom)
        assert abs(box.right - box.left - point.width) < 1e-9
        assert abs(box.top - box.bottom - point.height) < 1e-9
        assert 4.9 < box.distance(point.x, point.y) <= point.reach + 1e-6


def test_one_label_alone_is_right_above_its_point() -> None:
    (box,) = place([Point(100, 100, 40, 10, 5)], ROOM, [], 5.0)
    assert box is not None and box.left > 100 and box.bottom > 100


def test_who_comes_first_has_the_place_and_who_finds_none_has_none() -> None:
    small = Box(90, 90, 150, 125)
    point = Point(100, 100, 40, 10, 5)
    first, second = place([point, point], small, [Box(97, 97, 103, 103)], 5.0)
    assert first is not None
    assert second is None or not second.meets(first)
    assert place([point], Box(0, 0, 20, 20), [], 5.0) == [None]


def test_a_box_knows_its_distance() -> None:
    box = Box(0, 0, 10, 10)
    assert box.distance(5, 5) == 0 and box.distance(13, 14) == 5 and box.distance(5, -2) == 2
