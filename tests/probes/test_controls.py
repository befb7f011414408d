"""Control tasks: one label a type, in every call, as frequent as in training."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from layerwise.core.errors import DataError
from layerwise.probes.controls import control_labels, equivalence, seen_types, selectivity
from layerwise.probes.majority import majority_by_type

TRAIN = np.repeat([0, 1, 2, 4], [50, 30, 15, 5])
"""Training labels of five classes, of which one, 3, has no target."""
WORDS = [f"word {number}" for number in range(4000)]


def drawn(types, seed=0, name="pos", train=TRAIN):
    return control_labels(types, train, 5, seed=seed, name=name)


def test_a_type_has_one_label_wherever_it_occurs():
    once = dict(zip(WORDS, drawn(WORDS).tolist(), strict=True))
    random = np.random.default_rng(1)
    for size in (1, 50, 3000):
        some = [WORDS[i] for i in random.integers(0, len(WORDS), size)]
        assert drawn(some).tolist() == [once[word] for word in some]
    assert drawn(WORDS, train=random.permutation(TRAIN)).tolist() == list(once.values())
    assert drawn([]).tolist() == []
    assert drawn(["a"]).dtype == np.int64


def test_labels_are_as_frequent_as_in_training():
    found = np.bincount(drawn(WORDS), minlength=5)
    expected = np.bincount(TRAIN, minlength=5) / len(TRAIN) * len(WORDS)
    assert found[3] == 0
    some = expected > 0
    assert chisquare(found[some], expected[some]).pvalue > 0.01


def test_controls_of_other_seeds_and_tasks_are_independent():
    one = drawn(WORDS)
    chance = ((np.bincount(TRAIN) / len(TRAIN)) ** 2).sum()
    for other in (drawn(WORDS, seed=1), drawn(WORDS, name="ner")):
        assert (one == other).mean() == pytest.approx(chance, abs=0.03)


def test_golden_labels():
    # printf '["pos", 0, "the"]' | sha256sum gives c46c67c25bc27512..., at 0.767 of all; walks is
    # at 93f9471da362c552..., 0.578.
    ranks = control_labels(["the", "walks"], np.arange(100), 100, seed=0, name="pos")
    assert ranks.tolist() == [76, 57]
    assert drawn(["the", "walks", "日本"]).tolist() == [1, 1, 1]


@settings(deadline=None)
@given(st.text(st.characters()), st.lists(st.integers(0, 6), min_size=1, max_size=12))
@example("\ud83d", [2, 0, 1])  # half a surrogate pair, as broken decoders leave behind
def test_the_rule_restated(word, train):
    expected = sorted(train)
    text = '["t", 3, ' + json.dumps(word, ensure_ascii=False) + "]"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    place = Fraction(int(digest[:16], 16), 2**64) * len(train)
    label = control_labels([word], np.array(train), 7, seed=3, name="t")
    assert label.tolist() == [expected[int(place)]]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(), max_size=4), min_size=1, max_size=12), st.randoms())
def test_any_text_is_a_type_and_order_does_not_matter(types, random):
    labels = dict(zip(types, drawn(types).tolist(), strict=True))
    assert set(labels.values()) <= {0, 1, 2, 4}
    shuffled = random.sample(types, len(types))
    assert drawn(shuffled).tolist() == [labels[kind] for kind in shuffled]


def test_another_process_draws_the_same():
    program = (
        "import numpy; from layerwise.probes.controls import control_labels as c;"
        "print(c(list('abcdef'), numpy.arange(1000), 1000, seed=2, name='pos').tolist())"
    )
    out = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"},
    ).stdout
    here = control_labels(list("abcdef"), np.arange(1000), 1000, seed=2, name="pos")
    assert out.strip() == str(here.tolist())


def test_memorising_gains_all_on_seen_types_and_chance_on_others():
    train_types, test_types = WORDS[:2000], WORDS[1000:]
    gold = drawn(test_types)
    guessed = majority_by_type(train_types, drawn(train_types), test_types).predictions
    seen = seen_types(train_types, test_types)
    assert seen.mean() == 1 / 3
    assert (gold == guessed)[seen].all()
    # An unseen type gets the majority label, which half of all types have.
    assert (gold == guessed)[~seen].mean() == pytest.approx(0.5, abs=0.05)


def test_seen_types():
    assert seen_types(["a", "b", "b"], ["b", "B", "a"]).tolist() == [True, False, True]
    assert seen_types([], ["a"]).tolist() == [False]
    assert seen_types(["a"], []).dtype == bool


def test_selectivity():
    assert selectivity(0.97, [0.7, 0.72]) == pytest.approx(0.26)
    with pytest.raises(DataError):
        selectivity(0.97, [])


@pytest.mark.parametrize("train", [[], [-1, 0], [0, 5], [0.5], [[0], [1]]])
def test_what_gives_no_labels_is_refused(train):
    with pytest.raises(DataError):
        drawn(["a"], train=np.array(train, float if 0.5 in train else int))


class TestPairs:
    @pytest.mark.parametrize("rate", [0.03, 0.2, 0.34, 0.5, 0.8])
    def test_the_share_of_yes_is_the_one_asked_for(self, rate: float) -> None:
        random = np.random.default_rng(0)
        first, second = ([f"w{i}" for i in random.integers(3000, size=20_000)] for _ in "ab")
        control = equivalence(first, second, rate, seed=0, name="coref")
        assert (control.shares**2).sum() == pytest.approx(rate, abs=0.01)
        assert control.shares.sum() == pytest.approx(1)
        assert (control.shares >= 0).all()
        assert control.same(first, second).mean() == pytest.approx(rate, abs=0.04)

    def test_pairs_of_one_type_are_counted_in(self) -> None:
        first, second = list("aabbccdefghijklmnop"), list("aabbccqrstuvwxyzABC")
        control = equivalence(first, second, 0.5, seed=0, name="coref")
        always = 6 / len(first)
        assert always + (1 - always) * (control.shares**2).sum() == pytest.approx(0.5)

    def test_it_is_an_equivalence_whatever_the_order(self) -> None:
        types = [f"w{i}" for i in range(12)]
        control = equivalence(types[:6], types[6:], 0.3, seed=3, name="coref")
        same = {(a, b): bool(control.same([a], [b])[0]) for a in types for b in types}
        for a in types:
            assert same[a, a]
            for b in types:
                assert same[a, b] == same[b, a]
                for c in types:
                    assert same[a, c] or not (same[a, b] and same[b, c])

    def test_another_seed_is_another_control(self) -> None:
        first, second = [f"a{i}" for i in range(200)], [f"b{i}" for i in range(200)]
        drawn = {
            tuple(equivalence(first, second, 0.5, seed=s, name="coref").same(first, second))
            for s in range(4)
        }
        assert len(drawn) == 4

    @pytest.mark.parametrize("rate", [0.0, 1.0])
    def test_a_rate_that_leaves_nothing_to_tell_is_refused(self, rate: float) -> None:
        with pytest.raises(DataError):
            equivalence(["a"], ["b"], rate, seed=0, name="coref")
