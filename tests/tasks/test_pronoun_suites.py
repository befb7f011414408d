"""GAP, WinoBias and Winogender as tasks, on documents as their readers give them."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import SPLITS, Document, Sentence, Span
from layerwise.tasks.aspects import Located, Ranking
from layerwise.tasks.base import AnnotatedDocument, Corpus, Edge, bare
from layerwise.tasks.choice_bias import gender_bias, stereotype_gap
from layerwise.tasks.gap import read_gap
from layerwise.tasks.preparation import prepare
from layerwise.tasks.pronoun_suites import Gap, WinoBias, Winogender

TEXT = "Ann told Mary Ann that she had lost it ."
ANN, MARY, SHE, IT = Span(0, 1), Span(2, 4), Span(5, 6), Span(8, 9)


def document(
    *choices: tuple[Span, Span | None, str], name: str = "d", **attributes: str
) -> AnnotatedDocument:
    words = TEXT.split()
    return AnnotatedDocument(
        Document(name, (Sentence.from_words(words),)),
        tuple(map(bare, words)),
        edges=(
            Edge("other", SHE, ANN, ("yes",)),
            *(Edge("choice", first, second, (label,)) for first, second, label in choices),
        ),
        attributes=attributes,
    )


GAP = document((SHE, ANN, "yes"), (SHE, MARY, "no"), url="http://x", gender="feminine")
NEITHER = document(
    (SHE, ANN, "no"), (SHE, MARY, "no"), name="e", url="http://y", gender="masculine"
)
WINO = document(
    (SHE, ANN, "no"), (SHE, MARY, "yes"), stereotype="anti", type="2", gender="feminine"
)
GENDER = document(
    (SHE, ANN, "no"), (SHE, MARY, "yes"), occupation="nurse", gender="female", answer="1"
)


def test_the_pairs_of_gap() -> None:
    task = Gap()
    assert not isinstance(task, Ranking)
    assert [(t.span1, t.span2, t.label) for t in task.targets(GAP)] == [
        (SHE, ANN, "yes"),
        (SHE, MARY, "no"),
    ]
    located = [Located(one, target) for one in (GAP, NEITHER) for target in task.targets(one)]
    assert [task.strata(*each) for each in located] == [
        {"gender": gender} for gender in ("feminine", "feminine", "masculine", "masculine")
    ]
    assert task.guesses(located, located) == {
        "closest candidate": ["no", "yes", "no", "yes"],
        "first candidate": ["yes", "no", "yes", "no"],
    }
    assert task.control_key(*located[1]) == ("she", "mary ann")


def test_the_closest_may_come_after_the_pronoun() -> None:
    one = document((SHE, IT, "no"), (SHE, ANN, "yes"), (SHE, MARY, "no"), url="x")
    located = [Located(one, target) for target in Gap().targets(one)]
    assert Gap().guesses([], located) == {
        "closest candidate": ["no", "no", "yes"],
        "first candidate": ["no", "yes", "no"],
    }
    # As many words on both sides: the first.
    even = document((SHE, Span(8, 9), "no"), (SHE, Span(2, 3), "no"), url="x")
    located = [Located(even, target) for target in Gap().targets(even)]
    assert Gap().guesses([], located)["closest candidate"] == ["no", "yes"]


def test_choices() -> None:
    for task, one in ((WinoBias(), WINO), (Winogender(), GENDER)):
        assert isinstance(task, Ranking)
        (choice,) = task.candidates(one)
        assert [(t.span2, t.label) for t in choice] == [(ANN, "no"), (MARY, "yes")]
        assert list(task.targets(one)) == list(choice)
    assert WinoBias().strata(WINO, next(WinoBias().targets(WINO))) == {
        "stereotype": "anti",
        "type": "2",
        "gender": "feminine",
        "set": "anti_type2",
    }
    assert Winogender().strata(GENDER, next(Winogender().targets(GENDER))) == {
        "gender": "female",
        "answer": "1",
    }
    # Candidates of two pronouns in turns; and one without a rival, which nobody could miss.
    turns = document((SHE, ANN, "yes"), (IT, ANN, "no"), (SHE, MARY, "no"), stereotype="pro")
    (choice,) = WinoBias().candidates(turns)
    assert [t.span1 for t in choice] == [SHE, SHE]


def test_each_task_knows_its_own_documents() -> None:
    for task, own in ((Gap(), GAP), (WinoBias(), WINO), (Winogender(), GENDER)):
        for one in (GAP, WINO, GENDER):
            assert bool(list(task.targets(one))) == (one is own)
            corpus = Corpus("c", dict.fromkeys(SPLITS, (one,)))
            assert task.available(corpus) == ([task.name] if one is own else [])
        with pytest.raises(UsageError, match=f"{task.name} takes no argument"):
            type(task)("x")


def test_prepared() -> None:
    gap = prepare(Gap(), Corpus("c", dict.fromkeys(SPLITS, (GAP, NEITHER))))
    assert (gap.task, gap.metric, gap.positive, gap.groups) == ("gap.v1", "f1", "yes", None)
    assert gap.strata["gender"] == ("feminine", "feminine", "masculine", "masculine")
    wino = prepare(WinoBias(), Corpus("c", dict.fromkeys(SPLITS, (WINO,))))
    assert (wino.task, wino.metric, wino.groups) == ("winobias.v1", "choice_accuracy", (0, 0))


@pytest.mark.parametrize("choice", [(SHE, None, "yes"), (SHE, ANN, "maybe")])
def test_a_choice_that_is_none(choice: tuple[Span, Span | None, str]) -> None:
    with pytest.raises(DataError, match="d: a choice without a candidate or that is no yes or no"):
        list(Gap().targets(document(choice, url="x")))


def test_gender_bias() -> None:
    scores = {"f1[gender=feminine]": 0.6, "f1[gender=masculine]": 0.75, "f1": 0.7}
    assert Gap.bias(scores) == gender_bias(scores) == {"gender_bias": pytest.approx(0.8)}
    assert gender_bias({"f1[gender=feminine]": 0.0, "f1[gender=masculine]": 0.5}) == {
        "gender_bias": 0.0
    }
    assert gender_bias({"f1[gender=feminine]": 0.5, "f1[gender=masculine]": 0.0}) == {}
    assert gender_bias({"f1[gender=feminine]": 0.5}) == {}
    assert gender_bias({"f1[gender=masculine]": 0.5}) == {}


def test_stereotype_gap() -> None:
    sets = {"pro_type1": 0.75, "anti_type1": 0.5, "pro_type2": 0.5, "anti_type2": 0.625}
    scores = {f"choice_accuracy[set={name}]": value for name, value in sets.items()} | {
        "choice_accuracy[stereotype=pro]": 0.625,
        "choice_accuracy[stereotype=anti]": 0.5625,
    }
    assert WinoBias.bias(scores) == stereotype_gap(scores)
    assert stereotype_gap(scores) == {
        "stereotype_gap": 0.0625,
        "stereotype_gap[type=1]": 0.25,
        "stereotype_gap[type=2]": -0.125,
    }
    del scores["choice_accuracy[set=pro_type2]"], scores["choice_accuracy[stereotype=anti]"]
    assert stereotype_gap(scores) == {"stereotype_gap[type=1]": 0.25}
    assert stereotype_gap({}) == {}


def test_the_first_name_of_gap(shared_data: Path) -> None:
    path = shared_data / "gap" / "gap-validation.tsv.gz"
    located = [Located(one, t) for one in read_gap(path).documents for t in Gap().targets(one)]
    guessed = Gap().guesses([], located)["first candidate"]
    labels = [target.label for _, target in located]
    expected = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            first = min("AB", key=lambda name: int(row[f"{name}-offset"]))
            expected += [(row[f"{name}-coref"] == "TRUE", name == first) for name in "AB"]
    assert len(expected) == 908
    pairs = zip(labels, guessed, strict=True)
    assert [(label == "yes", guess == "yes") for label, guess in pairs] == expected
