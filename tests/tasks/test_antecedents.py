"""The choice of an antecedent, against a plain search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import UsageError
from layerwise.core.types import SPLITS, Document, Sentence, Span, Target
from layerwise.tasks.antecedents import AntecedentChoice
from layerwise.tasks.aspects import Located
from layerwise.tasks.base import AnnotatedDocument, Corpus, Mention, bare
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.preparation import prepare

FORMS = ("she", "Ann", "dog", "it", "dog")


def document(mentions: list[tuple[int, int, str]] | None, name: str = "d") -> AnnotatedDocument:
    words = [FORMS[i % len(FORMS)] for i in range(40)]
    return AnnotatedDocument(
        Document(name, tuple(Sentence.from_words(words[i : i + 8]) for i in range(0, 40, 8))),
        tuple(map(bare, words)),
        None
        if mentions is None
        else tuple(Mention(Span(start, end), entity, "") for start, end, entity in mentions),
    )


MENTIONS = st.lists(
    st.tuples(st.integers(0, 35), st.integers(1, 4), st.sampled_from("aabcde")).map(
        lambda m: (m[0], m[0] + m[1], m[2])
    ),
    max_size=20,
)


def oracle(mentions: list[tuple[int, int, str]], reach: int) -> dict[Span, list[tuple[Span, bool]]]:
    """Of each anaphor the candidates, nearest first, and whether each is right."""
    entities: dict[Span, set[str]] = {}
    for start, end, entity in mentions:
        entities.setdefault(Span(start, end), set()).add(entity)
    found = {}
    for anaphor in sorted(entities):
        before = sorted((span for span in entities if span < anaphor), reverse=True)
        judged = [(span, bool(entities[span] & entities[anaphor])) for span in before]
        if any(right for _, right in judged):
            found[anaphor] = judged[:reach]
    return found


@settings(max_examples=200, deadline=None)
@given(MENTIONS, st.sampled_from([1, 3, 50]))
def test_against_a_plain_search(mentions: list[tuple[int, int, str]], reach: int) -> None:
    task, one = AntecedentChoice(str(reach)), document(mentions)
    expected = oracle(mentions, reach)
    choices = list(task.candidates(one))
    assert expected == {
        choice[0].span2: [(t.span1, t.label == "yes") for t in choice] for choice in choices
    }
    assert [choice[0].span2 for choice in choices] == sorted(expected)
    # For training the nearest right one, and four wrong ones or all there are.
    targets = list(task.targets(one))
    assert set(targets) <= set(chain.from_iterable(choices))
    labels = Counter((target.span2, target.label) for target in targets)
    for anaphor, judged in expected.items():
        right = [span for span, is_right in judged if is_right]
        assert labels[anaphor, "yes"] == bool(right)
        assert labels[anaphor, "no"] == bool(right) * min(4, len(judged) - len(right))
        if right:
            assert Target("d", right[0], anaphor, "yes") in targets
    assert len(targets) == len(set(targets)) == labels.total()
    # What is said of a choice is the same for all its candidates.
    for choice in choices:
        (said,) = {tuple(task.strata(one, target).items()) for target in choice}
        assert dict(said)["reach"] == (
            "within" if any(t.label == "yes" for t in choice) else "beyond"
        )


@settings(max_examples=50, deadline=None)
@given(MENTIONS, st.randoms(use_true_random=False))
def test_the_order_of_mentions_changes_nothing(mentions, rng) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(mentions)
    rng.shuffle(shuffled)
    task = AntecedentChoice()
    assert list(task.targets(document(mentions))) == list(task.targets(document(shuffled)))


def test_negatives_are_uniform() -> None:
    mentions = [(i, i + 1, f"x{i}") for i in range(10)] + [(20, 21, "a"), (22, 23, "a")]
    drawn = Counter(
        target.span1.start
        for i in range(1500)
        for target in AntecedentChoice().targets(document(mentions, f"d{i}"))
        if target.label == "no"
    )
    assert sorted(drawn) == list(range(10)) and drawn.total() == 6000
    # Four of ten without replacement: the variance of a count is 1500 * .4 * .6.
    assert sum((count - 600) ** 2 / 400 for count in drawn.values()) < 27.9  # chi2(9), p = .001


def test_strata_and_guesses_of_an_example() -> None:
    # she(0) Ann(1) dog(2) it(3) dog(4) | dog(12) it(13) in the second sentence
    one = document([(1, 2, "a"), (2, 3, "d"), (3, 4, "x"), (12, 13, "d"), (13, 14, "d")])
    task = AntecedentChoice("3")
    choices = list(task.candidates(one))
    located = [Located(one, target) for choice in choices for target in choice]
    assert [(t.span1.start, t.span2.start, t.label) for _, t in located if t.span2] == [
        (3, 12, "no"), (2, 12, "yes"), (1, 12, "no"),
        (12, 13, "yes"), (3, 13, "no"), (2, 13, "yes"),
    ]  # fmt: skip
    assert [task.strata(one, choice[0]) for choice in choices] == [
        {
            "kind": "nominal",
            "reach": "within",
            "mentions": "2-5",
            "sentences": "1-2",
            "string": "same",
        },
        {
            "kind": "pronoun",
            "reach": "within",
            "mentions": "1",
            "sentences": "same",
            "string": "different",
        },
    ]
    assert AntecedentChoice("2").strata(one, choices[0][0])["string"] == "same"
    assert AntecedentChoice("1").strata(one, choices[0][0])["string"] == "different"
    assert AntecedentChoice("1").strata(one, choices[0][0])["reach"] == "beyond"
    yes = {
        name: [row for row, label in enumerate(labels) if label == "yes"]
        for name, labels in task.guesses([], located).items()
    }
    assert yes == {
        "closest mention": [0, 3],
        "first mention": [2, 5],
        "closest with the same string": [1, 4],
    }
    assert task.control_key(one, choices[0][1]) == ("dog", "dog")


def test_distances_in_mentions() -> None:
    names = {1: "1", 2: "2-5", 5: "2-5", 6: "6-20", 20: "6-20", 21: "21-50", 50: "21-50", 51: ">50"}
    for distance, name in names.items():
        # Mentions on all words and pairs of words, so that there are enough of them.
        spans = sorted((start, start + size) for start in range(36) for size in (1, 2))
        entities = {0: "e", distance: "e"}
        one = document([(*span, entities.get(i, f"x{i}")) for i, span in enumerate(spans)])
        (choice,) = AntecedentChoice().candidates(one)
        assert len(choice) == min(distance, 50)
        strata = AntecedentChoice().strata(one, choice[0])
        assert strata["mentions"] == name
        assert strata["reach"] == ("within" if distance <= 50 else "beyond")


def test_arguments() -> None:
    assert (AntecedentChoice().name, AntecedentChoice().reach) == ("antecedent", 50)
    assert (AntecedentChoice("100").name, AntecedentChoice("100").reach) == ("antecedent:100", 100)
    for argument in ("0", "-1", "x", "1001", "01", "²", "9" * 5000):
        with pytest.raises(UsageError, match="not a number of mentions to choose from"):
            AntecedentChoice(argument)


def test_prepared_and_offered() -> None:
    chain_ = (document([(0, 1, "b"), (1, 2, "a"), (4, 5, "a"), (9, 10, "a")]),)
    corpus = Corpus("c", dict.fromkeys(SPLITS, chain_))
    assert AntecedentChoice.available(corpus) == ["antecedent"]
    data = prepare(AntecedentChoice(), corpus)
    assert (data.task, data.metric, data.positive) == ("antecedent.v1", "choice_accuracy", "yes")
    assert data.groups == (0, 0, 1, 1, 1)
    assert set(data.strata) == {"kind", "reach", "mentions", "sentences", "string"}
    for none in (document([(0, 1, "a"), (2, 3, "b")]), document(None)):
        without = Corpus("c", {**corpus.splits, "test": (none,)})
        assert AntecedentChoice.available(without) == []


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    task = AntecedentChoice()
    anaphors = lost = 0
    for one in read_shared("gum_open/gum_open-dev.conllu.gz").documents[:4]:
        expected = oracle([(*m.span, m.entity) for m in one.mentions or ()], 50)
        choices = list(task.candidates(one))
        assert [choice[0].span2 for choice in choices] == list(expected)
        anaphors += len(expected)
        lost += sum(not any(right for _, right in judged) for judged in expected.values())
        for choice in choices:
            assert [(t.span1, t.label == "yes") for t in choice] == expected[choice[0].span2]
    assert 0 < lost < 0.1 * anaphors
