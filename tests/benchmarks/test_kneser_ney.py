"""The n-gram yardstick beside a slow one written from the formulas, and what every model owes."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from layerwise.benchmarks import kneser_ney as module
from layerwise.benchmarks.kneser_ney import FALLBACK, estimate, modified_discounts

Gram = tuple[int, ...]
NAMES = [one + other for one in "abcdef" for other in "uvwxyz"]


class Slow:
    """Chen and Goodman 1998, equations 16 to 20, n-gram by n-gram from dictionaries."""

    def __init__(self, text: list[int], vocabulary: int, order: int) -> None:
        self.vocabulary, self.order = vocabulary, order
        self.counts: dict[int, Counter[Gram]] = {}
        for n in range(1, order + 1):
            if n == order:
                self.counts[n] = Counter(grams(text, n))
            else:  # N1+(. w1 ... wn): the different words before it
                self.counts[n] = Counter(gram[1:] for gram in set(grams(text, n + 1)))
        self.discounts = {n: self.discount(list(c.values())) for n, c in self.counts.items()}

    @staticmethod
    def discount(counts: list[int]) -> list[float]:
        n = [0] + [counts.count(c) for c in (1, 2, 3, 4)]
        if 0 in n[1:]:
            return [0, *FALLBACK]
        y = n[1] / (n[1] + 2 * n[2])
        found = [c - (c + 1) * y * n[c + 1] / n[c] for c in (1, 2, 3)]
        return [0, *(found if min(found) > 0 else FALLBACK)]

    def probability(self, word: int, context: Gram) -> float:
        n = len(context) + 1
        lower = self.probability(word, context[1:]) if context else 1 / self.vocabulary
        behind = [self.counts[n][*context, other] for other in range(self.vocabulary)]
        if not sum(behind):
            return lower
        discount = self.discounts[n]
        ones, twos = behind.count(1), behind.count(2)
        more = sum(count > 2 for count in behind)
        gamma = (discount[1] * ones + discount[2] * twos + discount[3] * more) / sum(behind)
        own = behind[word] - discount[min(behind[word], 3)]
        return own / sum(behind) + gamma * lower

    def along(self, words: list[int]) -> list[float]:
        return [
            self.probability(word, tuple(words[max(0, i + 1 - self.order) : i]))
            for i, word in enumerate(words)
        ]


def grams(text: list[int], n: int) -> list[Gram]:
    return [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]


def as_words(text: list[int]) -> NDArray[np.int64]:
    return np.array(text, dtype=np.int64)


def natural(seed: int, words: int, vocabulary: int) -> list[int]:
    """A text with few frequent and many rare words, where what follows depends on what was."""
    draw = np.random.default_rng(seed)
    rank = 1 / np.arange(1, vocabulary + 1) ** 1.2
    habits = [draw.permutation(vocabulary) for _ in range(7)]
    fresh = draw.choice(vocabulary, size=words, p=rank / rank.sum()).tolist()
    text = [0, 0]
    for word in fresh[2:]:
        text.append(int(habits[(3 * text[-1] + text[-2]) % 7][word]))
    return text


class TestEqualsTheFormulas:
    @pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
    def test_on_a_text_like_a_language(self, order: int) -> None:
        text, other = natural(0, 1000, 80), natural(1, 80, 80)
        slow, model = Slow(text, 85, order), estimate(as_words(text), 85, 5)
        found = list(model.probabilities(as_words(other)))[order - 1]
        np.testing.assert_allclose(found, slow.along(other), rtol=1e-12)

    def test_that_text_has_discounts_of_its_own(self) -> None:
        model = estimate(as_words(natural(0, 1000, 80)), 85, 5)
        assert sum(order.discounts != FALLBACK for order in model.orders) >= 3

    @settings(deadline=None)
    @given(
        st.lists(st.integers(0, 3), min_size=1, max_size=30),
        st.lists(st.integers(0, 4), min_size=1, max_size=12),
        st.integers(1, 5),
    )
    def test_on_any_text(self, text: list[int], other: list[int], order: int) -> None:
        found = list(estimate(as_words(text), 5, order).probabilities(as_words(other)))
        for reached, probabilities in enumerate(found, start=1):
            oracle = Slow(text, 5, reached).along(other)
            np.testing.assert_allclose(probabilities, oracle, rtol=1e-12)
        assert len(found) == min(order, len(text))


class TestProbabilities:
    @pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
    def test_they_sum_to_1_behind_seen_and_unseen_words(self, order: int) -> None:
        text = natural(2, 3000, 60)
        model = estimate(as_words(text), 64, 5)  # four words that the text has not
        draw = np.random.default_rng(3)
        seen = [text[i : i + 4] for i in draw.integers(0, 2900, 10)]
        unseen = draw.integers(0, 64, (20, 4)).tolist()
        half_seen = [[63, *context[1:]] for context in seen]
        at_the_end = [text[-4:]]  # its 4-gram may have no word behind it
        for context in [*seen, *unseen, *half_seen, *at_the_end]:
            rows = as_words([n for word in range(64) for n in (*context, word)])
            found = list(model.probabilities(rows))[order - 1][4::5]  # (64,)
            assert found.min() > 0
            assert found.sum() == pytest.approx(1, abs=1e-12)

    def test_a_word_that_follows_one_word_alone_is_not_expected_elsewhere(self) -> None:
        # "San Francisco" (Chen and Goodman 1998, section 2.7): 4 stands often, but always behind 3.
        text = [0, 1, 2, 0, 2, 1, *[3, 4] * 8, 0, 1, 1, 0, 2, 2]
        unigram, bigram = estimate(as_words(text), 7, 2).probabilities(as_words([5, 4, 5, 1]))
        assert unigram[1] > unigram[3]
        assert bigram[1] < bigram[3]

    def test_a_longer_context_helps_where_it_decides(self) -> None:
        text = natural(5, 4000, 12)
        reached = estimate(as_words(text[:3500]), 12, 3).perplexities(as_words(text[3500:]))
        assert reached[2] < 0.9 * reached[1] < 0.9 * reached[0] < 0.9 * 12

    def test_perplexity_is_the_inverse_of_the_geometric_mean(self) -> None:
        text, other = natural(6, 300, 20), natural(7, 50, 20)
        model = estimate(as_words(text), 20, 3)
        for order, reached in enumerate(model.perplexities(as_words(other)), start=1):
            product = math.prod(Slow(text, 20, order).along(other))
            assert reached == pytest.approx(product ** (-1 / 50))


class TestDiscounts:
    def test_they_follow_from_counts_of_counts(self) -> None:
        counts = as_words([1] * 40 + [2] * 12 + [3] * 6 + [4] * 3 + [9] * 5)
        y = 40 / 64
        expected = (1 - 2 * y * 12 / 40, 2 - 3 * y * 6 / 12, 3 - 4 * y * 3 / 6)
        assert modified_discounts(counts) == pytest.approx(expected)

    @pytest.mark.parametrize("counts", [[1, 1, 2, 3, 9], [5, 6, 7], [*[1] * 8, 2, 3, *[4] * 5]])
    def test_where_the_counts_tell_nothing_there_is_a_fallback(self, counts: list[int]) -> None:
        assert modified_discounts(as_words(counts)) == FALLBACK

    def test_given_ones_take_their_place(self) -> None:
        # One discount for all counts is Kneser and Ney's own, here by hand for "0 0 1 0 0 1 1".
        model = estimate(as_words([0, 0, 1, 0, 0, 1, 1]), 2, 2, [(0, 0, 0), (0.5, 0.5, 0.5)])
        # Bigrams 00 x2, 01 x2, 10, 11; each word stands behind two different ones: 1/2 below.
        _, found = model.probabilities(as_words([0, 0, 1, 1]))
        assert found[1:] == pytest.approx([1.5 / 4 + 0.25 / 2, 1.5 / 4 + 0.25 / 2, 0.25 + 0.25])


def test_the_command_measures_both_directions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, other = natural(8, 500, 25), natural(9, 90, 30)
    for name, drawn in (("text", text), ("book", other)):
        (tmp_path / name).write_text(" ".join(NAMES[n] for n in drawn))
    asked = f"--text {tmp_path / 'text'} --held-out {tmp_path / 'book'} --vocabulary 20 --order 2"
    monkeypatch.setattr(sys, "argv", ["kneser_ney.py", *asked.split(), "--words", "300"])
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    module.main()
    ranked = sorted(Counter(text).items(), key=lambda pair: (-pair[1], pair[0]))
    numbers = {word: i for i, (word, _) in enumerate(ranked[:19], start=1)}  # 0 is <unk>
    trained, held_out = ([numbers.get(word, 0) for word in t] for t in (text, other))
    rows = re.findall(r"(\d+) +(forward|backward) +(\d+\.\d+) +(\d+\.\d+)", capsys.readouterr().out)
    assert [row[:2] for row in rows] == [
        (size, way) for size in ("300", "500") for way in ("forward", "backward")
    ]
    for size, way, *printed in rows:
        turn = 1 if way == "forward" else -1
        for order, figure in enumerate(printed, start=1):
            found = Slow(trained[: int(size)][::turn], 20, order).along(held_out[::turn])
            expected = math.exp(-sum(map(math.log, found)) / len(found))
            assert float(figure) == pytest.approx(expected, abs=0.006)
