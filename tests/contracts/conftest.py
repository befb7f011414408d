"""What the contracts of all tasks share: a small annotated corpus, and tasks by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from layerwise.core import registry
from layerwise.core.types import SPLITS, Span
from layerwise.tasks.base import AnnotatedDocument, Corpus, Edge
from layerwise.tasks.corpora import load_corpus

SENTENCES = """
# tree = (S (NP (NNP Ann)) (VP (VBZ sees) (NP (DT the) (NNS dogs))) (. .))
1 Ann Ann PROPN NNP Number=Sing|Case=Nom 2 nsubj _ Entity=(e1-person)
2 sees see VERB VBZ Number=Sing|Tense=Pres|VerbForm=Fin 0 root _ _
3 the the DET DT _ 4 det _ Entity=(e2-animal
4 dogs dog NOUN NNS Number=Plur|Case=Acc 2 obj _ SpaceAfter=No|Entity=e2)
5 . . PUNCT . _ 2 punct _ _

# tree = (S (NP (PRP They)) (VP (VBP like) (NP (PRP her) (CC and) (NNP Bob))) (. .))
1 They they PRON PRP Number=Plur|Case=Nom 2 nsubj _ Entity=(e2-animal)
2 like like VERB VBP Number=Plur|Tense=Pres|VerbForm=Fin 0 root _ _
3 her she PRON PRP Number=Sing|Case=Acc 2 obj _ Entity=(e1-person)
4 and and CCONJ CC _ 5 cc _ _
5 Bob Bob PROPN NNP Number=Sing|Case=Acc 3 conj _ Entity=(e3-person)
6 . . PUNCT . _ 2 punct _ _

# tree = (S (NNP Bob) (VP (VBD fed) (NP (DT a) (NN cat)) (S (IN as) (PRP it) (VBD saw) (PRP him))))
1 Bob Bob PROPN NNP Number=Sing|Case=Nom 2 nsubj _ Entity=(e3-person)
2 fed feed VERB VBD Number=Sing|Tense=Past|VerbForm=Fin 0 root _ _
3 a a DET DT _ 4 det _ Entity=(e4-animal
4 cat cat NOUN NN Number=Sing|Case=Acc 2 obj _ Entity=e4)
5 as as SCONJ IN _ 7 mark _ _
6 it it PRON PRP Number=Sing|Person=3|PronType=Prs 7 nsubj _ Entity=(e4-animal)
7 saw see VERB VBD Number=Sing 2 advcl _ _
8 him he PRON PRP Number=Sing|Person=3|PronType=Prs 7 obj _ Entity=(e3-person)

1 It it PRON PRP Number=Sing|Person=3|PronType=Prs 2 expl _ _
2 rained rain VERB VBD _ 0 root _ _

# tree = (S (S (NP (NNS dogs)) (VP (VBP sleep) (ADVP (RB well)))) (CC and) \
(S (NP (NNP Bob)) (VP (VBD ran) (PP (IN over) (NP (NN grass))) (ADVP (RB today)))))
1 dogs dog NOUN NNS Number=Plur 2 nsubj _ _
2 sleep sleep VERB VBP Number=Plur|Tense=Pres|VerbForm=Fin 0 root _ _
3 well well ADV RB _ 2 advmod _ _
4 and and CCONJ CC _ 6 cc _ _
5 Bob Bob PROPN NNP Number=Sing 6 nsubj _ _
6 ran run VERB VBD Tense=Past|VerbForm=Fin 2 conj _ _
7 over over ADP IN _ 8 case _ _
8 grass grass NOUN NN Number=Sing 6 obl _ _
9 today today ADV RB _ 6 advmod _ _

1 Ann Ann PROPN NNP Number=Sing 2 nsubj _ _
2 hid hide VERB VBD Tense=Past|VerbForm=Fin 0 root _ _
3 but but CCONJ CC _ 5 cc _ _
4 Bob Bob PROPN NNP Number=Sing 5 nsubj _ _
5 left leave VERB VBD Tense=Past|VerbForm=Fin 2 conj _ _

1 Bob Bob PROPN NNP Number=Sing 2 nsubj _ _
2 sang sing VERB VBD Tense=Past|VerbForm=Fin 0 root _ _
3 but but CCONJ CC _ 5 cc _ _
4 Ann Ann PROPN NNP Number=Sing 5 nsubj _ _
5 slept sleep VERB VBD Tense=Past|VerbForm=Fin 2 conj _ _

1 Go go VERB VB _ 0 root _ _
"""


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Three documents a split, with all that an installed task asks for."""
    folder = tmp_path_factory.mktemp("small")
    sentences = [
        line if line.startswith("#") else "\t".join(line.split(" "))
        for line in SENTENCES.strip().splitlines()
    ]
    for split in SPLITS:
        lines = ["# global.Entity = eid-etype"]
        for document in range(3):
            lines += [f"# newdoc id = {split}{document}", *sentences, ""]
        (folder / f"small-{split}.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    read = load_corpus(str(folder))
    return replace(read, splits={s: tuple(map(_labelled, d)) for s, d in read.splits.items()})


def _labelled(document: AnnotatedDocument) -> AnnotatedDocument:
    """With what CoNLL-U cannot say: targets of the data's own, and a label of the whole."""
    starts = document.document.sentence_starts
    pairs = [
        Edge("acceptable", Span(start, end), None, ("no" if number % 2 else "yes",))
        for number, (start, end) in enumerate(pairwise(starts))
    ]
    roles = [
        Edge("role", Span(at, at + 1), Span(1, 2), (role,)) for at, role in ((0, "A0"), (3, "A1"))
    ]
    choices = [
        Edge("choice", Span(at, at + 1), Span(at - back, at - back + 1), (("yes", "no")[back > 1],))
        for at in (4, 9)
        for back in (1, 3)
    ]
    label = "even" if document.document.id.endswith("0") else "odd"
    told = dict.fromkeys(("url", "stereotype", "occupation", "gender", "type", "answer"), "x")
    told["label"] = label
    return replace(document, edges=(*pairs, *roles, *choices), attributes=told)


@pytest.fixture(scope="session")
def documents(corpus: Corpus) -> list[AnnotatedDocument]:
    """Those of all splits."""
    return [document for split in SPLITS for document in corpus.splits[split]]


@pytest.fixture(scope="session")
def make() -> Callable[[str], Any]:
    """Gives the task of a name, such as ``morph:Number``."""

    def named(name: str) -> Any:
        head, argument = registry.split_name(name)
        return registry.load("task", head)(argument)

    return named
