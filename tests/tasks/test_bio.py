"""BIO tags."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.types import Span
from layerwise.tasks.bio import Chunk, bio

CHUNKS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 4), st.sampled_from("XY")).map(
        lambda c: Chunk(Span(c[0], min(c[0] + c[1], 10)), c[2])
    ),
    max_size=6,
)


def decoded(tags: list[str]) -> list[Chunk]:
    """The chunks of IOB2 tags, sign by sign."""
    found: list[Chunk] = []
    for place, tag in enumerate(tags):
        if tag[0] == "B":
            found.append(Chunk(Span(place, place + 1), tag[2:]))
        elif tag[0] == "I":
            assert found[-1].span.end == place and found[-1].label == tag[2:]
            found[-1] = Chunk(Span(found[-1].span.start, place + 1), tag[2:])
    return found


def meet(a: Chunk, b: Chunk) -> bool:
    return a.span.start < b.span.end and b.span.start < a.span.end


@given(CHUNKS)
def test_the_tags_are_a_choice_of_the_chunks(chunks: list[Chunk]) -> None:
    tags = bio(10, chunks)
    kept = decoded(tags)
    assert len(tags) == 10 and set(kept) <= set(chunks)
    for left in set(chunks) - set(kept):
        # What is left out meets one that was kept and is longer, or as long and earlier.
        assert any(
            meet(left, other)
            and (left.span.start - left.span.end, left) > (other.span.start - other.span.end, other)
            for other in kept
        )
    if not any(meet(a, b) for a, b in product(chunks, chunks) if a != b):
        assert set(kept) == set(chunks)
    assert bio(10, reversed(chunks)) == tags


def test_nested_and_adjacent() -> None:
    chunks = [Chunk(Span(1, 2), "IN"), Chunk(Span(0, 3), "OUT"), Chunk(Span(3, 4), "OUT")]
    assert bio(5, chunks) == ["B-OUT", "I-OUT", "I-OUT", "B-OUT", "O"]
