"""Trees to sentences: the constituents of a tree whose leaves are the sentence's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.errors import DataError
from ..core.files import sha256_of
from .brackets import is_aligned, parse_tree, read_trees, tree_file
from .conllu_sentence import ParsedSentence


def with_tree(sentence: ParsedSentence, brackets: str) -> ParsedSentence:
    """The sentence with its constituents. Raises ValueError where the tree is none of its own."""
    tree = parse_tree(brackets)
    if not is_aligned(tree, sentence.sentence.words):
        raise ValueError("its leaves are not the sentence's words")
    return sentence._replace(constituents=tree.constituents)


def with_trees(
    sentences: tuple[ParsedSentence, ...], path: Path
) -> tuple[tuple[ParsedSentence, ...], dict[str, Any]]:
    """The sentences with the trees of the file beside ``path``, and what to say of their trees.

    Trees and sentences stand in one order. A tree whose leaves are not the words of its sentence
    is left out and counted. Raises DataError where their numbers differ, since then nobody can
    tell which belong together.
    """
    beside = tree_file(path)
    found: dict[str, Any] = {}
    if beside is not None:
        sentences = _joined(sentences, beside)
        found = {"tree_file": beside.name, "tree_sha256": sha256_of(beside)}
    trees = sum(sentence.constituents is not None for sentence in sentences)
    if trees or found:
        found |= {"trees": trees, "sentences_without_tree": len(sentences) - trees}
    return sentences, found


def _joined(sentences: tuple[ParsedSentence, ...], path: Path) -> tuple[ParsedSentence, ...]:
    trees = read_trees(path)
    if len(trees) != len(sentences):
        raise DataError(
            f"{len(trees)} trees for the {len(sentences)} sentences of the CoNLL-U file",
            where=str(path),
            cure="give every sentence its tree, in order, or move the file of trees away",
        )
    return tuple(
        sentence._replace(constituents=tree.constituents)
        if is_aligned(tree, sentence.sentence.words)
        else sentence._replace(constituents=None)
        for sentence, tree in zip(sentences, trees, strict=True)
    )
