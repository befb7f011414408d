"""Holm and Benjamini-Hochberg: against their procedures step by step, and by their errors."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import example, given
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.results.multiplicity import CORRECTIONS, adjusted, benjamini_hochberg, holm

# Few values, so that many are equal; multiples of 1/64, so that products are exact.
P_VALUES = st.lists(st.integers(0, 64).map(lambda n: n / 64), min_size=1, max_size=7)


def rejected_by_holm(p, alpha):
    """Which are rejected: the smallest is held against alpha / m, the next against alpha /
    (m - 1), and so on until one is not rejected."""
    order, found = sorted(range(len(p)), key=p.__getitem__), set()
    for step, index in enumerate(order):
        if p[index] * (len(p) - step) > alpha:
            break
        found.add(index)
    return found


def rejected_by_benjamini_hochberg(p, alpha):
    """Which are rejected: the k smallest, k the largest for which the k-th is below alpha k/m."""
    order = sorted(range(len(p)), key=p.__getitem__)
    fitting = [k for k in range(1, len(p) + 1) if p[order[k - 1]] * len(p) / k <= alpha]
    return set(order[: max(fitting, default=0)])


@pytest.mark.parametrize(
    ("ours", "procedure"),
    [(holm, rejected_by_holm), (benjamini_hochberg, rejected_by_benjamini_hochberg)],
)
@given(p=P_VALUES)
@example(p=[0.0, 1.0, 0.5])
def test_is_the_smallest_level_at_which_the_procedure_rejects(ours, procedure, p):
    found = ours(p)
    for index, value in enumerate(found):
        assert index in procedure(p, value + 1e-9) or value == 1
        assert index not in procedure(p, value - 1e-9)


def test_a_published_example():
    # Holm 1979 orders and multiplies: .01 x 4, .02 x 3, .03 x 2, .04 x 1, never falling.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert benjamini_hochberg([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.04] * 4)


@given(p=P_VALUES)
def test_corrections_in_order_of_strictness(p):
    strict, mild, none = (adjusted(p, name) for name in ("holm", "bh", "none"))
    assert (strict + 1e-12 >= mild).all() and (mild + 1e-12 >= none).all()
    assert none.tolist() == p
    assert (strict <= 1).all()


def test_errors_among_dependent_comparisons_stay_at_the_level():
    # Ten comparisons that share much of their noise; three of them are real.
    generator = np.random.default_rng(0)
    rounds, alpha = 2000, 0.1
    noise = 0.6 * generator.normal(size=(rounds, 1)) + 0.8 * generator.normal(size=(rounds, 10))
    p = 2 * scipy.stats.norm.sf(np.abs(noise + np.where(np.arange(10) < 3, 3.0, 0.0)))
    any_false, false_share, uncorrected = [], [], []
    for row in p:
        wrong = holm(row)[3:] <= alpha
        any_false.append(wrong.any())
        found = benjamini_hochberg(row) <= alpha
        false_share.append(found[3:].sum() / max(1, found.sum()))
        uncorrected.append((row[3:] <= alpha).any())
    # Three standard errors of a share of .1 are .02.
    assert np.mean(any_false) <= alpha + 0.02
    assert np.mean(false_share) <= alpha + 0.02
    assert np.mean(uncorrected) > 0.35
    # Holm has the real ones too, and more of them than Bonferroni's.
    assert np.mean([holm(row)[:3] <= alpha for row in p]) > np.mean(10 * p[:, :3] <= alpha)


def test_nothing_and_what_is_no_p_value():
    assert [len(correct([])) for correct in CORRECTIONS.values()] == [0, 0, 0]
    for wrong in ([1.1], [-0.1], [float("nan")], [[0.5]]):
        for correction in CORRECTIONS:
            with pytest.raises(DataError, match="from 0 to 1"):
                adjusted(wrong, correction)
    with pytest.raises(UsageError, match="did you mean holm"):
        adjusted([0.5], "hom")
