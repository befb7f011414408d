"""Parts of speech and features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import Span, Target
from layerwise.tasks.aspects import TaskGroup
from layerwise.tasks.base import Corpus
from layerwise.tasks.conllu import ConlluFile, read_conllu
from layerwise.tasks.feature_sets import FeatureSet
from layerwise.tasks.morphology import (
    LanguageSpecificTag,
    MorphologicalFeature,
    PartOfSpeech,
    morph,
)
from layerwise.tasks.preparation import prepare

Write = Callable[..., Path]
Read = Callable[[str], ConlluFile]

TEXT = """
# newdoc id = d
1 Evim ev NOUN _ Case=Nom|Number=Sing|Number[psor]=Sing 2 nsubj _ _
2 var var ADJ _ _ 0 root _ _

1-2 xy _ _ _ _ _ _ _ _
1 x x _ _ Case=Acc,Dat 0 root _ _
2 y y NOUN _ Number=Plur 1 dep _ _
"""


def corpus(conllu: Write, *texts: str) -> Corpus:
    return Corpus(
        "c",
        {
            split: read_conllu(conllu(text.replace("= d", f"= {split}"))).documents
            for split, text in zip(("train", "dev", "test"), texts, strict=True)
        },
    )


def test_pos_labels_every_tagged_word(conllu: Write) -> None:
    (document,) = read_conllu(conllu(TEXT)).documents
    assert list(PartOfSpeech("").targets(document)) == [
        Target("d", Span(0, 1), None, "NOUN"),
        Target("d", Span(1, 2), None, "ADJ"),
        Target("d", Span(3, 4), None, "NOUN"),
    ]
    with pytest.raises(UsageError, match="pos takes no argument"):
        PartOfSpeech("Number")


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("Number", [(0, "Sing"), (3, "Plur")]),
        ("Number[psor]", [(0, "Sing")]),
        ("Case", [(0, "Nom"), (2, "Acc,Dat")]),
        ("Tense", []),
    ],
)
def test_a_feature_labels_the_words_that_carry_it(
    conllu: Write, feature: str, expected: list[tuple[int, str]]
) -> None:
    (document,) = read_conllu(conllu(TEXT)).documents
    task = MorphologicalFeature(feature)
    assert task.name == f"morph:{feature}"
    assert [(target.span1[0], target.label) for target in task.targets(document)] == expected
    assert all(target.span2 is None for target in task.targets(document))


@pytest.mark.parametrize("argument", ["", "Number=Sing", "Number[", "a b", "[psor]"])
def test_no_feature_is_a_usage_error_with_examples(argument: str) -> None:
    with pytest.raises(UsageError, match=r"write morph:Number, .*morph:Number\[psor\]"):
        MorphologicalFeature(argument)


def test_what_a_corpus_offers(conllu: Write) -> None:
    only_singular = TEXT.replace("Plur", "Sing")
    data = corpus(conllu, TEXT, only_singular, only_singular)
    # Number[psor] has one value only, in train.
    assert MorphologicalFeature.available(data) == ["morph:Case", "morph:Number"]
    assert PartOfSpeech.available(data) == ["pos"]
    data = corpus(conllu, TEXT, TEXT, "# newdoc id = d\n1 a a _ _ Case=Nom 0 root _ _")
    assert MorphologicalFeature.available(data) == ["morph:Case"]
    assert PartOfSpeech.available(data) == []
    assert MorphologicalFeature.available(Corpus("none", {})) == []


def test_prepared_task(conllu: Write) -> None:
    data = prepare(MorphologicalFeature("Number"), corpus(conllu, TEXT, TEXT, TEXT))
    assert data.task == "morph:Number.v1"
    assert data.metric == "accuracy" and data.positive is None
    assert data.facts["counts"]["dev"]["labels"] == {"Plur": 1, "Sing": 1}


def test_xpos_labels_every_word_with_a_tag(conllu: Write) -> None:
    text = "1 a a X NN _ 0 root _ _\n2 b b X _ _ 1 dep _ _\n3 c c X VB _ 1 dep _ _"
    (document,) = read_conllu(conllu(text)).documents
    found = [(t.span1, t.label) for t in LanguageSpecificTag().targets(document)]
    assert found == [(Span(0, 1), "NN"), (Span(2, 3), "VB")]
    data = corpus(conllu, *["# newdoc id = d\n" + text] * 3)
    assert LanguageSpecificTag.available(data) == ["xpos"]
    assert PartOfSpeech.available(data) == []  # one tag in train leaves nothing to tell apart


def test_the_argument_tells_what_morph_is(conllu: Write) -> None:
    data = corpus(conllu, TEXT, TEXT, TEXT)
    group = morph("")
    assert isinstance(group, TaskGroup)
    assert group.members(data) == ["morph:Case", "morph:Number"]
    with pytest.raises(DataError, match="--task morph --data none: no feature"):
        group.members(Corpus("none", {}))
    one = morph("Number[psor]")
    assert isinstance(one, MorphologicalFeature) and one.name == "morph:Number[psor]"
    assert not isinstance(one, TaskGroup)
    assert isinstance(morph("all"), FeatureSet)
    with pytest.raises(UsageError):
        morph("a b")
    assert morph.available(data) == ["morph:Case", "morph:Number", "morph:all"]
    assert {morph(each.partition(":")[2]).name for each in morph.available(data)} == set(
        morph.available(data)
    )


def test_real_data(read_shared: Read) -> None:
    documents = read_shared("gum_open/gum_open-train.conllu.gz").documents
    words = [word for document in documents for word in document.words]
    pos = Counter(t.label for d in documents for t in PartOfSpeech().targets(d))
    assert pos == Counter(word.upos for word in words) and pos.total() == 26579
    number = [t for d in documents for t in MorphologicalFeature("Number").targets(d)]
    assert len(number) == sum("Number" in word.feats for word in words)
    turkish = read_shared("ud/UD_Turkish-IMST/tr_imst-ud-dev.conllu.gz").documents
    layered = [t for d in turkish for t in MorphologicalFeature("Number[psor]").targets(d)]
    assert {target.label for target in layered} == {"Sing", "Plur"}
