"""What the contracts of all tasks share: a small annotated corpus, and tasks by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from layerwise.core import registry
from layerwise.core.types import SPLITS
from layerwise.tasks.base import AnnotatedDocument, Corpus
from layerwise.tasks.corpora import load_corpus

SENTENCES = """
# tree = (S (NP (NNP Ann)) (VP (VBZ sees) (NP (DT the) (NNS dogs))) (. .))
1 Ann Ann PROPN NNP Number=Sing|Case=Nom 2 nsubj _ Entity=(e1-person)
2 sees see VERB VBZ Number=Sing 0 root _ _
3 the the DET DT _ 4 det _ Entity=(e2-animal
4 dogs dog NOUN NNS Number=Plur|Case=Acc 2 obj _ SpaceAfter=No|Entity=e2)
5 . . PUNCT . _ 2 punct _ _

# tree = (S (NP (PRP They)) (VP (VBP like) (NP (PRP her) (CC and) (NNP Bob))) (. .))
1 They they PRON PRP Number=Plur|Case=Nom 2 nsubj _ Entity=(e2-animal)
2 like like VERB VBP Number=Plur 0 root _ _
3 her she PRON PRP Number=Sing|Case=Acc 2 obj _ Entity=(e1-person)
4 and and CCONJ CC _ 5 cc _ _
5 Bob Bob PROPN NNP Number=Sing|Case=Acc 3 conj _ Entity=(e3-person)
6 . . PUNCT . _ 2 punct _ _

# tree = (S (NNP Bob) (VP (VBD fed) (NP (DT a) (NN cat)) (S (IN as) (PRP it) (VBD saw) (PRP him))))
1 Bob Bob PROPN NNP Number=Sing|Case=Nom 2 nsubj _ Entity=(e3-person)
2 fed feed VERB VBD Number=Sing 0 root _ _
3 a a DET DT _ 4 det _ Entity=(e4-animal
4 cat cat NOUN NN Number=Sing|Case=Acc 2 obj _ Entity=e4)
5 as as SCONJ IN _ 7 mark _ _
6 it it PRON PRP Number=Sing|Person=3|PronType=Prs 7 nsubj _ Entity=(e4-animal)
7 saw see VERB VBD Number=Sing 2 advcl _ _
8 him he PRON PRP Number=Sing|Person=3|PronType=Prs 7 obj _ Entity=(e3-person)

1 It it PRON PRP Number=Sing|Person=3|PronType=Prs 2 expl _ _
2 rained rain VERB VBD _ 0 root _ _

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
    return load_corpus(str(folder))


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
