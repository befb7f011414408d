"""Code lengths against counting models in closed form, brute force, and published figures."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.probes.codelength import (
    FRACTIONS,
    CodeLength,
    OnlineCode,
    block_ends,
    order_of,
    over_orders,
)
from layerwise.probes.metrics import SMALLEST_PROBABILITY

labels_of = st.lists(st.integers(0, 3), min_size=2, max_size=30)


def in_blocks(labels, classes, ends, fitted):
    """The code of a probe: ``fitted(prefix, size)`` gives the probabilities of the next block."""
    labels = np.array(labels)
    code = OnlineCode(classes, labels[: ends[0]])
    for end, next_end in pairwise(ends):
        code.add(fitted(labels[:end], next_end - end), labels[end:next_end])
    return code.result()


def counting(more, classes):
    """The probe that only counts: a class seen c times has a share of c + ``more``."""

    def fitted(prefix, size):
        count = np.bincount(prefix, minlength=classes)
        share = np.where(count, count + more, 0.0)
        return np.tile(share / share.sum(), (size, 1))

    return fitted


@settings(deadline=None)
@given(labels_of)
def test_counting_one_label_at_a_time_is_laplaces_rule_in_closed_form(labels):
    code = in_blocks(labels, 4, range(1, len(labels) + 1), counting(1, 4))
    # p(labels) = (K - 1)! prod_c n_c! / (n + K - 1)!
    nats = math.lgamma(len(labels) + 4) - math.lgamma(4)
    nats -= sum(math.lgamma(number + 1) for number in Counter(labels).values())
    assert code.codelength_bits == pytest.approx(nats / math.log(2))
    assert code.unseen == len(set(labels)) - 1


@settings(deadline=None)
@given(labels_of, st.data(), st.sampled_from([1.0, 0.5]))
def test_blocks_equal_brute_force(labels, data, more):
    """Laplace's and Krichevsky and Trofimov's counts, the seen classes scaled as stated."""
    cuts = data.draw(st.sets(st.integers(1, len(labels) - 1), min_size=1))
    ends = [*sorted(cuts), len(labels)]
    code = in_blocks(labels, 4, ends, counting(more, 4))
    product, unseen, bits = Fraction(1, 4) ** ends[0], 0, [2.0 * ends[0]]
    for end, next_end in pairwise(ends):
        count, product = Counter(labels[:end]), Fraction(1)
        whole = sum(Fraction(number) + Fraction(more) for number in count.values())
        for label in labels[end:next_end]:
            if label in count:
                left = 1 - Fraction(4 - len(count), end + 4)
                product *= left * (count[label] + Fraction(more)) / whole
            else:
                product *= Fraction(1, end + 4)
                unseen += 1
        bits.append(math.log2(product.denominator) - math.log2(product.numerator))
    assert code.bits == pytest.approx(bits)
    assert (code.ends, code.unseen) == (tuple(ends), unseen)
    nats = math.log(2) * sum(bits[1:])
    assert code.later_nats == pytest.approx(nats)
    assert code.compat().kbits == pytest.approx((bits[0] + nats) / 1024)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(0, 99))
def test_the_shares_of_a_target_sum_to_one(first, seed):
    first = np.array(first)
    row = np.random.default_rng(seed).random((1, 5)).astype(np.float32)
    row[:, ~np.isin(np.arange(5), first)] = 0
    row /= row.sum()

    def bits(label):
        code = OnlineCode(5, first)
        code.add(row, np.array([label]))
        return code.result().bits[1]

    costs = np.array([bits(label) for label in range(5)])
    assert (2**-costs).sum() == pytest.approx(1.0, abs=1e-12)
    unseen = sorted(set(range(5)) - set(first.tolist()))
    assert costs[unseen] == pytest.approx(math.log2(len(first) + 5))


def test_uniform_probabilities_cost_log2_of_the_classes():
    labels = np.arange(32) % 8
    code = in_blocks(labels, 8, [8, 10, 32], lambda prefix, size: np.full((size, 8), 1 / 8))
    assert code.bits == (24.0, 6.0, 66.0)
    assert code.uniform_bits == code.codelength_bits == 96.0
    assert (code.compression, code.bits_per_label, code.targets) == (1.0, 3.0, 32)


def test_random_labels_are_not_compressed():
    labels = np.random.default_rng(0).integers(0, 5, 3000)
    ends = block_ends(np.arange(3000))
    code = in_blocks(labels, 5, ends, counting(1, 5))
    assert code.compression == pytest.approx(1, abs=0.02)


def test_a_perfect_probe_pays_for_the_first_block_only():
    labels = np.arange(1000) % 4
    ends = [4, 100, 1000]
    place = iter(ends)
    code = in_blocks(
        labels, 4, ends, lambda prefix, size: np.eye(4)[labels[(at := next(place)) : at + size]]
    )
    assert code.bits == (8.0, 0.0, 0.0)
    assert code.compression == 250
    assert str(code.bits[1]) == "0.0"


def test_a_certain_mistake_costs_a_stated_finite_amount():
    code = OnlineCode(2, np.array([0, 1]))
    code.add(np.array([[1.0, 0.0]]), np.array([1]))
    assert code.result().bits[1] == -math.log2(SMALLEST_PROBABILITY) == 52


def test_a_new_class_is_unseen_until_its_block_ends():
    code = OnlineCode(3, np.array([0, 0]))
    code.add(np.array([[1.0, 0, 0]] * 3), np.array([1, 1, 0]))
    code.add(np.array([[0.5, 0.5, 0]]), np.array([1]))
    result = code.result()
    assert result.unseen == 2
    # 1/5 each for the classes 1 and 2, then 1/8 for class 2 alone.
    expected = [2 * math.log2(3), 2 * math.log2(5) + math.log2(5 / 3), -math.log2(7 / 16)]
    assert result.bits == pytest.approx(expected)


@pytest.mark.parametrize(
    ("targets", "classes", "kbits", "compression", "places"),
    [
        (950_028, 45, 96.02, 53.06, 2),  # control_tasks: online code, POS, ELMo layer 1
        (2_070_382, 48, 461.55, 24.47, 2),  # jiant: online code, POS, ELMo layer 0
        (950_028, 45, 85, 59.9, 1),  # variational code; the unrounded length gave 59.76
    ],
)
def test_published_figures_in_their_mixed_units(targets, classes, kbits, compression, places):
    first = 900 * math.log2(classes)
    nats = kbits * 1024 - first
    code = CodeLength(classes, (900, targets), (first, nats / math.log(2)), 0)
    published = code.compat()
    assert published.kbits == pytest.approx(kbits)
    assert round(published.compression, places) == compression
    assert published.uniform_kbits * 1024 == code.uniform_bits
    if targets == 950_028:
        assert round(published.uniform_kbits, 1) == 5095.1
    # In bits throughout the code is longer, by at most 1 / ln 2.
    assert compression * math.log(2) < code.compression < compression


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_blocks_end_at_the_nearest_borders(sizes):
    clusters = np.repeat(np.arange(len(sizes))[::-1], sizes)
    ends, n = block_ends(clusters), len(clusters)
    borders = np.cumsum(sizes).tolist() if len(sizes) > 1 else list(range(1, n + 1))
    nearest = {
        min(borders, key=lambda border: (abs(border - Fraction(str(f)) * n / 100), border))
        for f in FRACTIONS
    }
    assert set(ends) <= set(borders) and ends[-1] == n and ends[0] >= 1
    assert ends == sorted(nearest)
    assert len(ends) > 1 or n == 1


def test_of_two_borders_as_near_the_earlier_one_ends_a_block():
    # 1.6 % of 125 are 2 targets, between the borders 1 and 3; in binary 1.6 is a little more.
    sizes = [1, 2, *[1] * 122]
    assert block_ends(np.repeat(np.arange(124), sizes))[:3] == [1, 4, 8]


@pytest.mark.parametrize("n", [1, 2, 3, 1000, 10_000])
@pytest.mark.parametrize("clusters", [np.arange, lambda n: np.zeros(n, int)])
def test_block_ends_without_borders_to_keep_are_the_fractions(n, clusters):
    """One target a cluster, and all targets in one."""
    expected = {
        1: [1],
        2: [1, 2],
        3: [1, 3],
        1000: [1, 2, 4, 8, 16, 32, 62, 125, 250, 500, 1000],
        10_000: [10, 20, 40, 80, 160, 320, 625, 1250, 2500, 5000, 10_000],
    }
    assert block_ends(clusters(n)) == expected[n]


@settings(deadline=None)
@given(st.lists(st.integers(-3, 5), min_size=1, max_size=40), st.integers(0, 2**63))
def test_an_order_shuffles_clusters_and_keeps_their_insides(clusters, seed):
    clusters = np.array(clusters)
    order = order_of(clusters, seed)
    assert sorted(order.tolist()) == list(range(len(clusters)))
    for cluster in set(clusters.tolist()):
        places = np.flatnonzero(clusters[order] == cluster)
        assert (np.diff(places) == 1).all()
        assert (np.diff(order[places]) > 0).all()
    block_ends(clusters[order])


def test_orders_depend_on_their_seed_only():
    clusters = np.array([4, 4, 7, 1, 1, 1, 9, 9])
    np.random.seed(5)
    for _ in range(2):
        assert order_of(clusters, 0).tolist() == [6, 7, 2, 0, 1, 3, 4, 5]
    many = np.arange(6)
    first = Counter(int(order_of(many, seed)[0]) for seed in range(600))
    assert all(60 < first[cluster] < 140 for cluster in many.tolist())


def test_the_mean_over_orders():
    codes = [CodeLength(2, (2, 8), (2.0, bits), 0) for bits in (1.0, 0.0, 5.0)]
    mean = over_orders(codes)
    assert mean == (4.0, 2.0, 7.0, 8.0, 2.0, 0.5, 3)
    assert mean.compression == 2.0 and mean.highest == 7.0


A, HALF = np.array([0, 1]), np.full((2, 2), 0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: OnlineCode(1, np.array([0])),
        lambda: OnlineCode(2, np.array([], int)),
        lambda: OnlineCode(2, np.array([-1])),
        lambda: OnlineCode(2, np.array([2])),
        lambda: OnlineCode(2, np.array([0.0])),
        lambda: OnlineCode(2, A).add(HALF, np.array([0])),
        lambda: OnlineCode(2, A).add(HALF, np.array([0, 2])),
        lambda: OnlineCode(2, A).add(HALF[:0], A[:0]),
        lambda: OnlineCode(3, A).add(HALF, A),
        lambda: OnlineCode(2, A).add(HALF / 2, A),
        lambda: OnlineCode(2, A[:1]).add(HALF, A),  # half a probability for a class unseen
        lambda: OnlineCode(2, A).add(np.array([[1.5, -0.5]] * 2), A),
        lambda: OnlineCode(2, A).add(np.array([[np.nan, 1]] * 2), A),
        lambda: order_of(np.array([], int), 0),
        lambda: order_of(np.array([0.5]), 0),
        lambda: block_ends(np.array([], int)),
        lambda: block_ends(np.array([0, 1, 0])),
        lambda: over_orders([]),
        lambda: over_orders([CodeLength(2, (2,), (2.0,), 0), CodeLength(2, (3,), (3.0,), 0)]),
    ],
)
def test_what_cannot_be_coded_is_refused(call):
    with pytest.raises(DataError):
        call()
