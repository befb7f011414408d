"""Base phrases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from layerwise.core.types import Span
from layerwise.tasks.base import AnnotatedDocument, Corpus, Edge
from layerwise.tasks.chunks import Chunking
from layerwise.tasks.conllu import ConlluFile, read_conllu

Write = Callable[..., Path]


def read(conllu: Write, *trees: str) -> AnnotatedDocument:
    """A document with these trees; leaves are tag and word, and the tag tells the UPOS."""
    lines = ["# newdoc id = d"]
    for tree in trees:
        leaves = [part.split() for part in tree.replace(")", "(").split("(") if " " in part.strip()]
        lines.append(f"# tree = {tree}")
        for number, (tag, word) in enumerate(leaves, 1):
            upos = {"CC": "CCONJ", ",": "PUNCT", ".": "PUNCT", ":": "PUNCT"}.get(tag, "X")
            head = "0 root" if number == 1 else "1 dep"
            lines.append(f"{number} {word} _ {upos} {tag} _ {head} _ _")
        lines.append("")
    return read_conllu(conllu("\n".join(lines))).documents[0]


@pytest.mark.parametrize(
    ("tree", "tags"),
    [
        # The lowest phrases, without what their phrase has beside them.
        (
            "(ROOT (S (NP (NP (DT the) (NN dog)) (PP (IN in) (NP (DT a) (NN box))))"
            " (VP (VBD sat)) (. .)))",
            "B-NP I-NP B-PP B-NP I-NP B-VP O",
        ),
        # A verb group is one chunk, an infinitive behind it another.
        (
            "(S (NP (PRP he)) (VP (VBZ has) (VP (VBN been) (VP (VBG trying)"
            " (S (VP (TO to) (VP (VB go))))))))",
            "B-NP B-VP I-VP I-VP B-VP I-VP",
        ),
        # An adverb cuts it.
        ("(S (VP (MD will) (ADVP (RB soon)) (VP (VB end))))", "B-VP B-ADVP B-VP"),
        # Modifiers before the end belong to their noun phrase, predicates do not.
        (
            "(S (NP (DT a) (ADJP (RB very) (JJ old)) (QP (CD 2) (CD 3)) (NN cup))"
            " (VP (VBZ is) (ADJP (JJ red))))",
            "B-NP I-NP I-NP I-NP I-NP I-NP B-VP B-ADJP",
        ),
        ("(NP (NP (NNS cups)) (ADJP (JJ full)))", "B-NP B-ADJP"),
        ("(NP (QP (RB about) (CD 20)))", "B-NP I-NP"),
        # Coordination of words is one chunk, of phrases several.
        ("(NP (NN salt) (CC and) (NN oil))", "B-NP I-NP I-NP"),
        ("(NP (NP (NN salt)) (, ,) (NP (NN oil)) (CC and) (NP (NN ink)))", "B-NP O B-NP O B-NP"),
        # The complementiser is a chunk, wh-phrases are called as the others.
        (
            "(SBAR (IN that) (S (WHNP (WP who)) (VP (VBD left))))",
            "B-SBAR B-NP B-VP",
        ),
        # Words right below a clause, and categories that are no chunk type.
        ("(FRAG (UH oh) (X (FW q)) (INTJ (UH well)) (PRT (RP up)))", "O O B-INTJ B-PRT"),
        # Two equal phrases side by side are two.
        ("(VP (VB give) (NP (PRP me)) (NP (NN it)))", "B-VP B-NP B-NP"),
    ],
)
def test_the_rule(conllu: Write, tree: str, tags: str) -> None:
    targets = list(Chunking().targets(read(conllu, tree)))
    assert " ".join(str(t.label) for t in targets) == tags
    assert [t.span1 for t in targets] == [Span(i, i + 1) for i in range(len(targets))]


def test_only_sentences_with_a_tree(conllu: Write) -> None:
    text = "# newdoc id = d\n1 a a X _ _ 0 root _ _\n\n# tree = (NP (X b))\n1 b b X _ _ 0 root _ _"
    (document,) = read_conllu(conllu(text)).documents
    assert [(t.span1, t.label) for t in Chunking().targets(document)] == [(Span(1, 2), "B-NP")]


def test_the_datas_own_chunks_come_first(conllu: Write) -> None:
    document = replace(
        read(conllu, "(NP (X a) (X b) (X c))"),
        edges=(Edge("chunk", Span(1, 3), None, ("VP",)), Edge("ner", Span(0, 1), None, ("PER",))),
    )
    assert [t.label for t in Chunking().targets(document)] == ["O", "B-VP", "I-VP"]


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    documents = read_shared("gum_open/gum_open-dev.conllu.gz").documents
    corpus = Corpus("c", dict.fromkeys(("train", "dev", "test"), documents))
    assert Chunking.available(corpus) == ["chunk"]
    tags: Counter[str] = Counter()
    for document in documents:
        labels = [str(t.label) for t in Chunking().targets(document)]
        tags.update(labels)
        held = [(c.span, re.split("[-=]", c.label)[0]) for c in document.constituents or ()]
        for start, label in enumerate(labels):
            if label[0] != "B":
                continue
            end = start + 1
            while end < len(labels) and labels[end][0] == "I":
                assert labels[end][2:] == label[2:]
                end += 1
            # The chunk lies in a phrase of its category, and so in one sentence.
            assert any(
                span.start <= start and end <= span.end and category.removeprefix("WH") == label[2:]
                for span, category in held
                if category not in ("NX", "QP", "NAC")
            )
            assert not {document.words[start].form, document.words[end - 1].form} & {",", "and"}
    assert tags.total() == 8383
    assert [tag for tag, _ in tags.most_common(5)] == ["B-NP", "I-NP", "O", "B-PP", "B-VP"]
