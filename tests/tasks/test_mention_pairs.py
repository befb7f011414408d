"""The uniform sample of all pairs, against all pairs."""

from __future__ import annotations

import random
import time
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from layerwise.core.types import Span
from layerwise.tasks.base import Mention
from layerwise.tasks.mention_pairs import MentionPairs

MENTIONS = st.lists(
    st.builds(
        lambda start, size, entity: Mention(Span(start, start + size), entity, ""),
        st.integers(0, 20),
        st.integers(1, 5),
        st.sampled_from("aabcd"),
    ),
    max_size=15,
)
SOME = [Mention(Span(i, i + 1 + 3 * (i % 4 == 0)), "abcde"[i * i % 5], "") for i in range(14)]


def all_pairs(pairs: MentionPairs, mentions: list[Mention]) -> set[tuple[tuple[int, int], bool]]:
    entities = {span: {m.entity for m in mentions if m.span == span} for span in pairs.spans}
    found = set()
    for a, b in combinations(range(len(pairs.spans)), 2):
        first, second = pairs.spans[a], pairs.spans[b]
        coreferent = bool(entities[first] & entities[second])
        if coreferent or first.end <= second.start:
            found.add(((a, b), coreferent))
    return found


@settings(max_examples=200, deadline=None)
@given(MENTIONS, st.integers(0, 2**32))
def test_nearly_all_pairs_are_all_pairs(mentions: list[Mention], seed: int) -> None:
    pairs = MentionPairs(mentions)
    # With this rate one pair in 10^12 is passed over.
    sampled = list(pairs.sample(1 - 1e-12, random.Random(seed)))
    assert len(sampled) == len(set(sampled)), "no pair twice"
    assert set(sampled) == all_pairs(pairs, mentions)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_each_pair_is_as_likely_as_any_other(rate: float) -> None:
    pairs = MentionPairs(SOME)
    universe = all_pairs(pairs, SOME)
    assert any(pairs.spans[a].end > pairs.spans[b].start for (a, b), _ in universe), "overlapping"
    generator, rounds = random.Random(3), 4000
    samples = [list(pairs.sample(rate, generator)) for _ in range(rounds)]
    kept = Counter(pair for sample in samples for pair in sample)
    assert kept.keys() == universe
    variance = rounds * rate * (1 - rate)
    distance = sum((kept[pair] - rounds * rate) ** 2 for pair in universe) / variance
    assert chi2.ppf(0.001, len(universe)) < distance < chi2.ppf(0.999, len(universe))
    # Independent of each other, the sizes of samples are binomial.
    sizes = [len(sample) for sample in samples]
    mean = sum(sizes) / rounds
    spread = sum((size - mean) ** 2 for size in sizes) / (len(universe) * rate * (1 - rate))
    assert chi2.ppf(0.001, rounds - 1) < spread < chi2.ppf(0.999, rounds - 1)


def test_time_goes_with_the_sample() -> None:
    pairs = MentionPairs(Mention(Span(i, i + 1), f"x{i // 2}", "") for i in range(20_000))
    start = time.process_time()
    sampled = list(pairs.sample(1e-5, random.Random(1)))
    assert 1700 < len(sampled) < 2300, "of 2e8 pairs"
    assert time.process_time() - start < 2


def test_who_is_coreferent_before() -> None:
    pairs = MentionPairs(SOME)
    for position, span in enumerate(pairs.spans):
        own = {m.entity for m in SOME if m.span == span}
        before = {
            earlier
            for earlier in range(position)
            if own & {m.entity for m in SOME if m.span == pairs.spans[earlier]}
        }
        assert pairs.coreferent_before(position) == before
