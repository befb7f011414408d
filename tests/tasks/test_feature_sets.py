"""All features of a word as a set of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from layerwise.core.types import Span, Target
from layerwise.tasks.base import Corpus
from layerwise.tasks.conllu import ConlluFile, read_conllu
from layerwise.tasks.feature_sets import FeatureSet
from layerwise.tasks.preparation import prepare

Write = Callable[..., Path]

TEXT = """
# newdoc id = d
1 a a X _ Case=Acc,Dat|Number[psor]=Sing 0 root _ _
2 . . PUNCT _ _ 1 punct _ _
"""


def test_every_word_and_every_value(conllu: Write) -> None:
    documents = read_conllu(conllu(TEXT)).documents
    assert list(FeatureSet().targets(documents[0])) == [
        Target("d", Span(0, 1), None, ("Case=Acc", "Case=Dat", "Number[psor]=Sing")),
        Target("d", Span(1, 2), None, ()),
    ]
    corpus = Corpus("c", dict.fromkeys(("train", "dev", "test"), documents))
    assert FeatureSet.available(corpus) == ["morph:all"]
    data = prepare(FeatureSet(), corpus)
    assert (data.task, data.metric, data.positive) == ("morph:all.v1", "micro_f1", None)
    assert data.facts["counts"]["train"]["labels"] == dict.fromkeys(
        ("Case=Acc", "Case=Dat", "Number[psor]=Sing"), 1
    )
    assert data.strata["form"] == ("seen", "seen")


def test_a_document_without_features_is_not_annotated(conllu: Write) -> None:
    documents = read_conllu(conllu("1 a a X _ _ 0 root _ _")).documents
    assert list(FeatureSet().targets(documents[0])) == []
    assert (
        FeatureSet.available(Corpus("c", dict.fromkeys(("train", "dev", "test"), documents))) == []
    )


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    documents = read_shared("ud/UD_Turkish-IMST/tr_imst-ud-dev.conllu.gz").documents
    words = [word for d in documents if any(w.feats for w in d.words) for word in d.words]
    targets = [target for d in documents for target in FeatureSet().targets(d)]
    assert len(targets) == len(words)
    found = Counter(label for target in targets for label in target.label)
    values = Counter(
        f"{feature}={value}"
        for w in words
        for feature, v in w.feats.items()
        for value in v.split(",")
    )
    assert found == values and len(found) > 40
