"""The measures against loops over pairs, closed forms, and libraries."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import f_oneway
from sklearn.decomposition import TruncatedSVD

from layerwise.core.errors import DataError
from layerwise.probes import contextuality
from layerwise.probes.contextuality import (
    Groups,
    anisotropy,
    chance_share,
    explainable_variance,
    form_sums,
    intra_sentence_similarity,
    self_similarity,
    sentence_sums,
    variance_share,
)

Rows = NDArray[np.float64]


def cosine(a: Rows, b: Rows) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture(params=[7, 4096])
def vectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Vectors that point one way, worked on in small blocks and in large ones."""
    monkeypatch.setattr(contextuality, "_ROWS", request.param)
    return np.random.default_rng(0).normal(0.4, 1, size=(60, 5))


@pytest.fixture
def forms() -> NDArray[np.int64]:
    return np.random.default_rng(1).choice([3, 5, 8, 9], p=[0.5, 0.3, 0.15, 0.05], size=60)


def members(groups: Groups) -> list[NDArray[np.int64]]:
    return [groups.order[a:b] for a, b in zip(groups.starts, groups.starts[1:], strict=False)]


def share(vectors: Rows, groups: Groups) -> float:
    return float(variance_share(form_sums(vectors, groups).sum(axis=0)))


def random_cosine(vectors: Rows, groups: Groups) -> float:
    return float(anisotropy(sentence_sums(vectors, groups).sum(axis=0)))


def test_groups(forms: NDArray[np.int64]) -> None:
    groups = Groups.of(forms, 5)
    kept = [form for form in (3, 5, 8, 9) if (forms == form).sum() >= 5]
    assert len(kept) < 4 and len(groups) == len(kept)
    for form, own in zip(kept, members(groups), strict=True):
        assert own.tolist() == np.flatnonzero(forms == form).tolist()
    shuffled = groups.shuffled(60, 0)
    assert shuffled.sizes.tolist() == groups.sizes.tolist()
    assert len(set(shuffled.order.tolist())) == len(groups.order)
    assert shuffled.order.tolist() != groups.order.tolist()


def test_self_similarity_by_pairs(vectors: Rows, forms: NDArray[np.int64]) -> None:
    groups = Groups.of(forms, 2)
    by_pairs = [
        np.mean([cosine(vectors[i], vectors[j]) for i, j in combinations(own, 2)])
        for own in members(groups)
    ]
    np.testing.assert_allclose(self_similarity(vectors, groups), by_pairs)


def test_anisotropy_by_pairs(vectors: Rows, forms: NDArray[np.int64]) -> None:
    """Of every two sentences, in either order: the mean cosine of a word of each."""
    groups = Groups.of(forms)
    by_pairs = [
        np.mean([cosine(vectors[i], vectors[j]) for i in one for j in other])
        for one, other in permutations(members(groups), 2)
    ]
    assert random_cosine(vectors, groups) == pytest.approx(np.mean(by_pairs))


def test_intra_sentence_similarity_by_words(vectors: Rows, forms: NDArray[np.int64]) -> None:
    groups = Groups.of(forms)
    by_words = [
        np.mean([cosine(vectors[i], vectors[own].mean(axis=0)) for i in own])
        for own in members(groups)
    ]
    np.testing.assert_allclose(intra_sentence_similarity(vectors, groups), by_words)


def test_explainable_variance_is_the_singular_values(
    vectors: Rows, forms: NDArray[np.int64]
) -> None:
    groups = Groups.of(forms, 3)
    by_svd = []
    for own in members(groups):
        first = TruncatedSVD(1, algorithm="arpack").fit(vectors[own]).singular_values_[0]
        by_svd.append(first**2 / (vectors[own] ** 2).sum())
    np.testing.assert_allclose(explainable_variance(vectors, groups), by_svd)


def test_variance_share_is_that_of_an_analysis_of_variance(
    vectors: Rows, forms: NDArray[np.int64]
) -> None:
    groups = Groups.of(forms, 2)
    own = vectors[:, :1]
    f = f_oneway(*(own[rows, 0] for rows in members(groups))).statistic
    between, within = len(groups) - 1, len(groups.order) - len(groups)
    assert share(own, groups) == pytest.approx(f * between / (f * between + within))
    # Of several dimensions: sums of squares add up.
    total = vectors[groups.order]
    whole = ((total - total.mean(axis=0)) ** 2).sum()
    rest = sum(
        ((vectors[rows] - vectors[rows].mean(axis=0)) ** 2).sum() for rows in members(groups)
    )
    assert share(vectors, groups) == pytest.approx(1 - rest / whole)


def test_the_share_of_a_part_is_counted_from_sums(vectors: Rows, forms: NDArray[np.int64]) -> None:
    """A form drawn twice by a bootstrap counts as a form that occurs twice as often."""
    groups = Groups.of(forms, 2)
    sums = form_sums(vectors, groups)
    drawn = sums[0] + 2 * sums[1]
    first, second, *_ = members(groups)
    again = np.concatenate([vectors[first], vectors[second], vectors[second]])
    labels = np.repeat([0, 1], [len(first), 2 * len(second)])
    assert float(variance_share(drawn)) == pytest.approx(share(again, Groups.of(labels)))


def test_chance_is_what_shuffling_gives(vectors: Rows, forms: NDArray[np.int64]) -> None:
    groups = Groups.of(forms, 2)
    shuffled = [
        share(vectors, Groups(groups.shuffled(60, s).order, groups.starts)) for s in range(500)
    ]
    error = np.std(shuffled) / 500**0.5
    # All words are in a form here but for those of the rarest, so that other rows barely differ.
    assert np.mean(shuffled) == pytest.approx(
        chance_share(len(groups.order), len(groups)), abs=5 * error
    )


def test_static_vectors_are_all_form() -> None:
    random = np.random.default_rng(0)
    forms = np.repeat(np.arange(40), 6)
    vectors = random.normal(size=(40, 64))[forms]
    groups = Groups.of(forms)
    np.testing.assert_allclose(self_similarity(vectors, groups), 1)
    np.testing.assert_allclose(explainable_variance(vectors, groups), 1)
    assert share(vectors, groups) == pytest.approx(1)


def test_isotropic_noise_is_no_form() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(3000, 64))
    groups = Groups.of(np.repeat(np.arange(300), 10))
    # A pair's cosine has the variance 1 / dim.
    assert self_similarity(vectors, groups).mean() == pytest.approx(0, abs=5 / (64 * 13500) ** 0.5)
    assert random_cosine(vectors, groups) == pytest.approx(0, abs=1e-3)
    assert share(vectors, groups) == pytest.approx(chance_share(3000, 300), abs=0.01)
    # The first of 10 noise vectors in 64 dimensions, and a word's part in the mean of 10.
    mixed = groups.shuffled(3000, 1)
    above = explainable_variance(vectors, groups) - explainable_variance(vectors, mixed)
    assert above.mean() == pytest.approx(0, abs=0.005)
    assert intra_sentence_similarity(vectors, groups).mean() == pytest.approx(10**-0.5, abs=0.01)


def test_a_common_direction_is_anisotropy_and_no_form() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(3000, 64)) + np.array([12.0, *np.zeros(63)])
    groups = Groups.of(np.repeat(np.arange(300), 10))
    common = random_cosine(vectors, groups)
    assert common == pytest.approx(12**2 / (12**2 + 64), abs=0.01)
    assert self_similarity(vectors, groups).mean() - common == pytest.approx(0, abs=0.005)
    assert share(vectors, groups) == pytest.approx(chance_share(3000, 300), abs=0.01)


def test_vectors_of_no_length() -> None:
    groups = Groups.of(np.repeat([0, 1], 3))
    vectors = np.zeros((6, 4))
    assert self_similarity(vectors, groups).tolist() == [0, 0]
    assert explainable_variance(vectors, groups).tolist() == [1, 1]
    assert intra_sentence_similarity(vectors, groups).tolist() == [0, 0]
    assert share(vectors, groups) == 0
    assert random_cosine(vectors, groups) == 0


def test_what_says_nothing_is_refused() -> None:
    with pytest.raises(DataError):
        self_similarity(np.ones((3, 2)), Groups.of(np.array([0, 0, 1])))
    with pytest.raises(DataError):
        self_similarity(np.full((2, 2), np.nan), Groups.of(np.array([0, 0])))
