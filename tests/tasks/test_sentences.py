"""Tasks with one label a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import AnnotatedDocument, Corpus, bare
from layerwise.tasks.conllu import ConlluFile, read_conllu
from layerwise.tasks.sentence_clause import (
    SentenceObjectNumber,
    SentenceSubjectNumber,
    SentenceTense,
)
from layerwise.tasks.sentence_structure import SentenceDepth, SentenceLength, TopConstituents
from layerwise.tasks.sentences import SentenceLabel

Write = Callable[..., Path]
Read = Callable[[str], ConlluFile]

TEXT = """
# newdoc id = d
# tree = (ROOT (S (NP (NNS keys)) (VP (VBP have) (VP (VBN opened) (NP (DT the) (NN door)))) (. .)))
1 keys key NOUN NNS Number=Plur 3 nsubj _ _
2 have have AUX VBP Tense=Pres|VerbForm=Fin 3 aux _ _
3 opened open VERB VBN Tense=Past|VerbForm=Part 0 root _ _
4 the the DET DT _ 5 det _ _
5 door door NOUN NN Number=Sing 3 obj _ _
6 . . PUNCT . _ 3 punct _ _

# tree = (ROOT (FRAG (NP (NNP Ann))))
1 Ann Ann PROPN NNP Number=Sing 0 root _ _

# tree = (ROOT (S (ADVP (RB so)) (NP (PRP she)) (VP (MD will) (VP (VB go)))))
1 so so ADV RB _ 4 advmod _ _
2 she she PRON PRP Number=Sing 4 nsubj _ _
3 will will AUX MD VerbForm=Fin 4 aux _ _
4 go go VERB VB VerbForm=Inf 0 root _ _
"""


def labels(task, document: AnnotatedDocument) -> dict[int, object]:  # type: ignore[no-untyped-def]
    """By the number of the sentence; each target is a whole one."""
    spans = [Span(*each) for each in pairwise(document.document.sentence_starts)]
    return {spans.index(t.span1): t.label for t in task.targets(document)}


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (SentenceLength, {0: "1-8", 1: "1-8", 2: "1-8"}),
        (SentenceDepth, {0: "4", 1: "2", 2: "3"}),
        (TopConstituents, {0: "NP VP", 2: "ADVP NP VP"}),
        (SentenceTense, {0: "Pres"}),
        (SentenceSubjectNumber, {0: "Plur", 2: "Sing"}),
        (SentenceObjectNumber, {0: "Sing"}),
    ],
)
def test_labels(conllu: Write, task, expected: dict[int, str]) -> None:  # type: ignore[no-untyped-def]
    (document,) = read_conllu(conllu(TEXT)).documents
    assert labels(task(), document) == expected
    targets = list(task().targets(document))
    assert task().control_key(document, targets[0]) == ("keys",)
    with pytest.raises(UsageError, match=f"{task.name} takes no argument"):
        task("x")


def test_without_phrases_the_depth_is_that_of_the_arcs(conllu: Write) -> None:
    text = "\n".join(line for line in TEXT.splitlines() if "# tree" not in line)
    (document,) = read_conllu(conllu(text)).documents
    assert labels(SentenceDepth(), document) == {0: "2", 1: "0", 2: "1"}
    assert labels(TopConstituents(), document) == {}


def test_the_cut_points_of_length() -> None:
    sizes = [1, 8, 9, 12, 13, 16, 17, 20, 21, 25, 26, 99]
    text = Document("d", tuple(Sentence.from_words(["w"] * size) for size in sizes))
    document = AnnotatedDocument(text, tuple(map(bare, text.words)))
    found = list(labels(SentenceLength(), document).values())
    assert found[::2] == found[1::2] == ["1-8", "9-12", "13-16", "17-20", "21-25", ">=26"]


def test_rare_sequences_are_one_class(conllu: Write) -> None:
    text = (
        "# newdoc id = d\n# tree = (S (PP (X a)) (X b) (QP (S (NP (X c))) (X d)) (NP (X e)))\n"
        + "\n".join(
            f"{i} {w} _ X _ _ {i - 1} {'dep' if i > 1 else 'root'} _ _"
            for i, w in enumerate("abcde", 1)
        )
    )
    (document,) = read_conllu(conllu(text)).documents
    assert labels(TopConstituents(), document) == {0: "other"}
    assert len(TopConstituents.facts["sequences"]) == 19


def test_no_syntax_no_clause(conllu: Write) -> None:
    (document,) = read_conllu(conllu("1 a a X _ _ _ _ _ _\n2 b b X _ _ _ _ _ _")).documents
    for task in (SentenceDepth, SentenceTense, SentenceSubjectNumber, SentenceObjectNumber):
        assert list(task().targets(document)) == []


def test_the_label_that_the_data_gives() -> None:
    text = Document("d", (Sentence.from_words("a b".split()), Sentence.from_words("c".split())))
    words = tuple(map(bare, text.words))
    labelled = AnnotatedDocument(text, words, attributes={"label": "PAST"})
    (target,) = SentenceLabel().targets(labelled)
    assert (target.span1, target.label) == (Span(0, 3), "PAST")
    assert SentenceLabel().control_key(labelled, target) == ("a",)
    assert list(SentenceLabel().targets(AnnotatedDocument(text, words))) == []


def test_real_data(read_shared: Read) -> None:
    documents = read_shared("gum_open/gum_open-dev.conllu.gz").documents
    corpus = Corpus("c", dict.fromkeys(("train", "dev", "test"), documents))
    lengths = Counter(t.label for d in documents for t in SentenceLength().targets(d))
    counted = [len(s.words) for d in documents for s in d.document.sentences]
    assert lengths[">=26"] == sum(size >= 26 for size in counted)
    assert lengths["13-16"] == sum(13 <= size <= 16 for size in counted)
    assert lengths.total() == 341
    for task in (SentenceDepth, TopConstituents, SentenceTense, SentenceSubjectNumber):
        assert task.available(corpus) == [task.name]
    tops = Counter(t.label for d in documents for t in TopConstituents().targets(d))
    assert tops.most_common(1)[0][0] == "NP VP" and tops["other"] < 0.15 * tops.total()


def test_tense_where_only_what_is_not_finite_is_marked(read_shared: Read) -> None:
    documents = read_shared("ud/UD_Turkish-IMST/tr_imst-ud-dev.conllu.gz").documents
    tenses = Counter(t.label for d in documents for t in SentenceTense().targets(d))
    assert set(tenses) == {"Fut", "Past", "Pqp", "Pres"} and tenses.total() == 838
