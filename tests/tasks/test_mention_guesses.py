"""The baselines of coreference: thresholds against scikit-learn, rules on examples."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from layerwise.core.types import Document, Sentence, Span, Target
from layerwise.tasks.aspects import Located
from layerwise.tasks.base import AnnotatedDocument, Mention, bare
from layerwise.tasks.mention_guesses import best_limit, guesses_of_pairs

PAIR = st.tuples(st.integers(0, 8), st.booleans(), st.booleans(), st.booleans())


@settings(max_examples=40, deadline=None)
@given(st.lists(PAIR, max_size=20))
def test_the_limit_with_the_best_f1(pairs: list[tuple[int, bool, bool, bool]]) -> None:
    table = np.array(pairs, dtype=np.int64).reshape(len(pairs), 4)
    words, (eligible, already, yes) = table[:, 0], table[:, 1:].astype(bool).T

    def f1(limit: int) -> float:
        called = already | (eligible & (words <= limit))
        return float(f1_score(yes, called, zero_division=0.0)) if len(pairs) else 0.0

    limit = best_limit(words, eligible, already, yes)
    scores = {each: f1(each) for each in range(-1, 9)}
    best = max(scores.values())
    assert limit == min(each for each, score in scores.items() if score > best - 1e-12)


def located(text: str, *pairs: tuple[int, int, str]) -> list[Located]:
    words = text.split()
    document = AnnotatedDocument(
        Document("d", (Sentence.from_words(words),)),
        tuple(map(bare, words)),
        tuple(Mention(Span(i, i + 1), str(i), "") for i in range(len(words))),
    )
    return [
        Located(document, Target("d", Span(a, a + 1), Span(b, b + 1), label))
        for a, b, label in pairs
    ]


def test_the_rules() -> None:
    # In train a pronoun is resolved to what is next to it, and never farther away.
    train = located("Ann she x x he Bob", (0, 1, "yes"), (0, 4, "no"), (1, 5, "no"), (4, 5, "yes"))
    test = located(
        "ann she Ann he x x x she he",
        (0, 1, "no"), (0, 2, "no"), (1, 2, "no"), (1, 3, "no"), (1, 7, "no"), (7, 8, "no"),
    )  # fmt: skip
    assert guesses_of_pairs(train, test) == {
        "same string": ["no", "yes", "no", "no", "yes", "no"],
        "same head": ["no", "yes", "no", "no", "yes", "no"],
        "distance": ["yes", "no", "yes", "no", "no", "yes"],
        "string, agreement and distance": ["yes", "yes", "yes", "no", "yes", "no"],
    }


def test_guesses_do_not_look_at_the_labels_of_test() -> None:
    train = located("a b a", (0, 2, "yes"), (0, 1, "no"))
    asked = [(0, 1, "no"), (0, 2, "no"), (1, 2, "no")]
    turned = [(a, b, "yes") for a, b, _ in asked]
    assert guesses_of_pairs(train, located("a b a", *asked)) == guesses_of_pairs(
        train, located("a b a", *turned)
    )
    assert guesses_of_pairs([], []).keys() == guesses_of_pairs(train, []).keys()
