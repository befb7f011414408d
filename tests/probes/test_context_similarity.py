"""Choice by similarity against scikit-learn, hand-made vectors, and an average over random ties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from layerwise.core.errors import DataError
from layerwise.probes.context_similarity import TIED, Choices, credits, similarities

RANDOM = np.random.default_rng(3)


def choices(
    *items: tuple[tuple[int, int], tuple[int, int], list[tuple[int, int, bool]]],
) -> Choices:
    """One item a target: its span, its context, and (start, end, right) of each candidate."""
    flat = [candidate for _, _, candidates in items for candidate in candidates]
    return Choices(
        targets=np.array([target for target, _, _ in items]).reshape(-1, 2),
        contexts=np.array([context for _, context, _ in items]).reshape(-1, 2),
        candidates=np.array([span[:2] for span in flat], dtype=np.int64).reshape(-1, 2),
        starts=np.cumsum([0, *(len(candidates) for _, _, candidates in items)]),
        right=np.array([span[2] for span in flat], dtype=bool),
    )


def drawn(words: int, targets: int) -> Choices:
    """Targets of one or two words with contexts around them and candidates anywhere."""
    items = []
    for _ in range(targets):
        start = int(RANDOM.integers(2, words - 3))
        candidates = [
            (int(at), int(at) + int(RANDOM.integers(1, 3)), bool(RANDOM.random() < 0.4))
            for at in RANDOM.integers(0, words - 2, size=int(RANDOM.integers(0, 6)))
        ]
        end = start + int(RANDOM.integers(1, 3))
        around = (start - int(RANDOM.integers(0, 3)), end + int(RANDOM.integers(0, 2)))
        items.append(((start, end), around if RANDOM.random() < 0.8 else (0, 0), candidates))
    return choices(*items)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("centred", [False, True])
def test_the_similarities_are_scikit_learns_cosines(dtype: type, centred: bool) -> None:
    vectors = (RANDOM.normal(size=(60, 7)) + 3).astype(dtype)
    plain = vectors.astype(np.float64)
    centre = plain.mean(axis=0) if centred else None
    if centred:
        plain = plain - plain.mean(axis=0)  # every word, as the docstring says
    asked = drawn(60, 40)
    found = similarities(vectors, asked, centre)
    for i, (t, c) in enumerate(zip(asked.targets, asked.contexts, strict=True)):
        query = np.mean([plain[w] for w in range(*t)], axis=0)
        if c[0] < c[1]:
            query = query - np.mean([plain[w] for w in range(*c)], axis=0)
        for j in range(asked.starts[i], asked.starts[i + 1]):
            other = np.mean([plain[w] for w in range(*asked.candidates[j])], axis=0)
            assert found[j] == pytest.approx(cosine_similarity([query], [other])[0, 0], abs=1e-9)


def test_what_the_context_shares_is_taken_from_the_target() -> None:
    # The pronoun (4) is mostly its neighbour (5), and a little of the noun at 0.
    vectors = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1], [5, 1, 0], [5, 0, 0]], float)
    nouns = [(0, 1, True), (1, 2, False)]
    with_context = choices(((4, 5), (4, 6), nouns))
    without = choices(((4, 5), (0, 0), nouns))
    assert credits(similarities(vectors, with_context), with_context).tolist() == [1.0]
    assert credits(similarities(vectors, without), without).tolist() == [0.0]


def test_centring_moves_the_candidates_and_not_the_query() -> None:
    common = np.array([10.0, 0.0])
    vectors = np.array([[0, 1], [0.1, -1], [1, 1], [-1, -1]]) + common  # 2 and 3: target, context
    asked = choices(((2, 3), (2, 4), [(0, 1, True), (1, 2, False)]))
    plain, centred = similarities(vectors, asked), similarities(vectors, asked, common)
    # Along the common way the two are alike, whatever their own direction is.
    assert plain[0] - plain[1] < 0.25 and min(plain) > 0.5
    assert centred == pytest.approx([2**-0.5, (0.1 - 1) / (2**0.5 * 1.01**0.5)])


def test_a_tie_earns_what_choosing_at_random_would() -> None:
    right = [True, False, False, True, False]
    asked = choices(((9, 10), (0, 0), [(i, i + 1, r) for i, r in enumerate(right)]))
    for scores in itertools.product([0.0, 0.5, 1.0], repeat=5):
        best = [i for i in range(5) if scores[i] == max(scores)]
        expected = sum(right[i] for i in best) / len(best)
        assert credits(np.array(scores), asked).tolist() == [pytest.approx(expected)]


def test_rounding_does_not_break_a_tie_and_a_difference_does() -> None:
    asked = choices(((9, 10), (0, 0), [(0, 1, True), (1, 2, False)]))
    assert credits(np.array([0.5, 0.5 + TIED / 2]), asked).tolist() == [0.5]
    assert credits(np.array([0.5, 0.5 + TIED * 2]), asked).tolist() == [0.0]


def test_equal_words_tie_wherever_they_stand() -> None:
    word = RANDOM.normal(size=33)
    vectors = np.stack([word, RANDOM.normal(size=33), word, word, RANDOM.normal(size=33)])
    asked = choices(((4, 5), (3, 5), [(0, 1, False), (2, 3, True)]))
    assert credits(similarities(vectors, asked), asked).tolist() == [0.5]


def test_no_candidate_earns_nothing_and_shifts_nothing() -> None:
    vectors = RANDOM.normal(size=(6, 4))
    some = [(0, 1, True)]
    asked = choices(((4, 5), (3, 5), []), ((4, 5), (3, 5), some), ((5, 6), (4, 6), []))
    assert credits(similarities(vectors, asked), asked).tolist() == [0.0, 1.0, 0.0]
    none = choices()
    assert credits(similarities(vectors, none), none).shape == (0,)


def test_a_vector_of_no_length_is_like_nothing() -> None:
    # Mean of equal words, less one of them: exactly nothing, and not what rounding leaves.
    word = RANDOM.normal(size=50)
    vectors = np.stack([RANDOM.normal(size=50), np.zeros(50), word, word, word])
    asked = choices(((2, 3), (2, 5), [(0, 1, True), (1, 2, False)]))
    assert similarities(vectors, asked).tolist() == [0.0, 0.0]
    asked = choices(((2, 3), (0, 0), [(1, 2, False), (3, 4, True)]))
    assert similarities(vectors, asked) == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 2, 3])
def test_a_vector_that_is_not_finite_is_refused(bad: float, place: int) -> None:
    vectors = RANDOM.normal(size=(5, 4))
    vectors[place, 1] = bad
    asked = choices(((2, 3), (2, 4), [(0, 1, True)]))
    with pytest.raises(DataError, match="not finite"):
        similarities(vectors, asked)
