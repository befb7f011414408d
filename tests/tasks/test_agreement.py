"""Numbers of subjects and objects at their verbs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import UsageError
from layerwise.core.types import Span
from layerwise.tasks.agreement import Agreement, ObjectNumber, SubjectNumber
from layerwise.tasks.base import Corpus
from layerwise.tasks.conllu import ConlluFile, read_conllu

Write = Callable[..., Path]

TEXT = """
# newdoc id = d
1 keys key NOUN NNS Number=Plur 6 nsubj _ _
2 to to ADP IN _ 4 case _ _
3 the the DET DT _ 4 det _ _
4 room room NOUN NN Number=Sing 1 nmod _ _
5 have have AUX VBP Number=Plur|VerbForm=Fin 6 aux _ _
6 opened open VERB VBN VerbForm=Part 0 root _ _
7 doors door NOUN NNS Number=Plur 6 obj _ _

1 dogs dog NOUN NNS Number=Plur 2 nsubj _ _
2 barked bark VERB VBD Number=Plur|Tense=Past|VerbForm=Fin 0 root _ _
3 . . PUNCT . _ 2 punct _ _

1 Ann Ann PROPN NNP Number=Sing 4 nsubj _ _
2 was be AUX VBD Number=Sing|Tense=Past|VerbForm=Fin 4 cop _ _
3 a a DET DT _ 4 det _ _
4 queen queen NOUN NN Number=Sing 0 root _ _

1 They they PRON PRP Number=Plur 2 nsubj _ _
2 saw see VERB VBD Number=Plur|VerbForm=Fin 0 root _ _
3 Ann Ann PROPN NNP Number=Sing 2 obj _ _
4 and and CCONJ CC _ 5 cc _ _
5 Bob Bob PROPN NNP Number=Sing 3 conj _ _

1 dogs dog NOUN NNS Number=Plur 5 nsubj _ _
2 near near ADP IN _ 3 case _ _
3 Ann Ann PROPN NNP Number=Sing 1 nmod _ _
4 can can AUX MD VerbForm=Fin 5 aux _ _
5 run run VERB VB VerbForm=Inf 0 root _ _
"""


def test_at_the_verb(conllu: Write) -> None:
    (document,) = read_conllu(conllu(TEXT)).documents
    # The queen is no verb; its subject is none of a verb.
    assert [(t.span1, t.label) for t in SubjectNumber().targets(document)] == [
        (Span(5, 6), "Plur"),
        (Span(8, 9), "Plur"),
        (Span(15, 16), "Plur"),
        (Span(23, 24), "Plur"),
    ]
    # Ann and Bob are not the singular that Ann is.
    assert [(t.span1, t.label) for t in ObjectNumber().targets(document)] == [(Span(5, 6), "Plur")]


def test_at_the_finite_verb_with_attractors(conllu: Write) -> None:
    (document,) = read_conllu(conllu(TEXT)).documents
    targets = list(Agreement().targets(document))
    assert [(document.words[t.span1.start].form, t.label) for t in targets] == [
        ("have", "Plur"), ("barked", "Plur"), ("was", "Sing"), ("can", "Plur"),
    ]  # fmt: skip
    assert [dict(Agreement().strata(document, target)) for target in targets] == [
        {"form": "shown", "attractor": "yes", "distance": "4-7"},
        {"form": "hidden", "attractor": "no", "distance": "1", "hidden": "no attractor"},
        {"form": "shown", "attractor": "no", "distance": "1"},
        {"form": "hidden", "attractor": "yes", "distance": "2-3", "hidden": "attractor"},
    ]


@pytest.mark.parametrize("task", [SubjectNumber, ObjectNumber, Agreement])
def test_no_argument_and_what_a_corpus_offers(conllu: Write, task) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match=f"{task.name} takes no argument"):
        task("Sing")
    bare = read_conllu(conllu("1 a a X _ _ _ _ _ _\n2 a a X _ _ _ _ _ _")).documents
    assert list(task().targets(bare[0])) == []
    assert task.available(Corpus("c", dict.fromkeys(("train", "dev", "test"), bare))) == []


def test_real_data_against_the_rows(read_shared: Callable[[str], ConlluFile]) -> None:
    documents = read_shared("gum_open/gum_open-dev.conllu.gz").documents
    found, expected = Counter(), Counter()
    for document in documents:
        found.update(
            (document.document.id, t.span1.start, t.label)
            for t in SubjectNumber().targets(document)
        )
        words = document.words
        subjects: dict[int, list[int]] = {}
        for position, word in enumerate(words):
            if word.deprel in ("nsubj", "nsubj:pass") and words[word.head].upos in ("VERB", "AUX"):
                subjects.setdefault(word.head, []).append(position)
        conjoined = {word.head for word in words if word.deprel.split(":")[0] == "conj"}
        for verb, (first, *more) in subjects.items():
            number = words[first].feats.get("Number")
            if not more and number and first not in conjoined:
                expected[document.document.id, verb, number] += 1
    assert found == expected and found.total() == 398
    task = Agreement()
    strata = [task.strata(d, t) for d in documents for t in task.targets(d)]
    assert Counter(kinds["attractor"] for kinds in strata)["yes"] > 10
    # A modal or past tense hides what a present tense shows.
    for document in documents:
        for target in task.targets(document):
            hidden = task.strata(document, target)["form"] == "hidden"
            word = document.words[target.span1.start]
            assert hidden == (word.xpos == "MD" or (word.xpos == "VBD" and word.lemma != "be"))
