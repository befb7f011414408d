"""Components against scipy's, and which loops are scanned, stepped or none."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from layerwise.encoders.search.space.aliases import ALIASES
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.graph import components, sources
from layerwise.encoders.search.space.sampling import RECURRENT, Space, sample
from layerwise.encoders.search.space.schedule import Way, schedule

LOOPS = Space(RECURRENT, 2, 9, delayed=0.3)


def test_components_are_scipys_and_follow_what_they_read() -> None:
    for seed in range(60):
        cell = sample(LOOPS, random.Random(seed))
        count = len(cell.nodes)
        reads = np.zeros((count, count), dtype=int)
        for number, node in cell.numbered():
            for ref in node.inputs:
                if ref.node:
                    reads[number - 1, ref.node - 1] = 1
        _, labels = connected_components(reads, directed=True, connection="strong")
        found = components(cell)
        theirs = {tuple(int(n) + 1 for n in np.flatnonzero(labels == c)) for c in set(labels)}
        assert {component.nodes for component in found} == theirs
        done: set[int] = {0}
        for component in found:
            done.update(component.nodes)
            assert {r.node for n in component.nodes for r in cell.nodes[n - 1].inputs} <= done
            itself = any(reads[n - 1, n - 1] for n in component.nodes)
            assert component.loop == (len(component.nodes) > 1 or itself)
        closure = np.linalg.matrix_power(np.eye(count, dtype=int) + reads, count) > 0
        for number in range(1, count + 1):
            above = {int(n) + 1 for n in np.flatnonzero(closure[number - 1])}
            assert set(sources(cell, number)) - {0} == above


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("gconv", {Way.PARALLEL}),
        ("attn", {Way.PARALLEL}),
        ("lstm", {Way.STEPS}),
        ("gru", {Way.PARALLEL, Way.STEPS}),
        ("rnn", {Way.STEPS}),
        ("mingru", {Way.PARALLEL, Way.SCAN}),
        ("qrnn", {Way.PARALLEL, Way.SCAN}),
        ("hybrid", {Way.PARALLEL, Way.SCAN}),
        ("c1/a:0,@1=1", {Way.SCAN}),
        ("c1/m:0,@2/a:0,1=2", {Way.SCAN}),
        ("c1/a:@2,@2/m:0,1=2", {Way.SCAN}),
        ("c1/b:0,@1,@1=1", {Way.SCAN}),
        ("c1/b:@1,0,0=1", {Way.STEPS}),  # the gate holds the state
        ("c1/m:@1,@1=1", {Way.STEPS}),
        ("c1/a:@1,@2/m:0,1=2", {Way.STEPS}),  # two states
        ("c1/m:0,@2/L:1=2", {Way.STEPS}),  # channels meet
        ("c1/a:0,@2/n:1=2", {Way.STEPS}),
    ],
)
def test_what_is_linear_in_one_state_is_scanned(text: str, ways: set[Way]) -> None:
    cell = parse(ALIASES.get(text, text))
    assert {stage.way for stage in schedule(cell)} == ways
