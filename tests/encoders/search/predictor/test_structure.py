"""Counts of a cell against those taken by hand."""

from __future__ import annotations

from collections import Counter

from layerwise.encoders.search.predictor.structure import ends, paths
from layerwise.encoders.search.space.aliases import read_cell
from layerwise.encoders.search.space.grammar import parse


def test_the_counts_of_a_plain_recurrence() -> None:
    assert paths(read_cell("rnn")) == Counter(
        ["L", "t", "t=out", "x>L", "t@>L", "L>t", "x>L>t", "t@>L>t", "L>t@>L"]
    )


def test_the_ways_into_the_output() -> None:
    assert ends(read_cell("rnn")) == Counter(["out<t", "out<t<L", "out<t<L<x", "out<t<L<@t"])


def test_the_places_of_a_blend_are_told() -> None:
    assert ends(parse("c1/L:0/s:1/b:2,1,@3=3")) == Counter(
        ["out<b", "out<b<1s", "out<b<1s<L", "out<b<1s<L<x", "out<b<2L", "out<b<2L<x", "out<b<3@b"]
    )
