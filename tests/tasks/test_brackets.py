"""Penn brackets: what they hold, hostile text, and files of trees beside their sentences."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.files import sha256_of
from layerwise.tasks.base import Constituent
from layerwise.tasks.brackets import is_aligned, parse_tree, read_trees, tree_file
from layerwise.tasks.conllu import read_conllu, read_sentences

Write = Callable[..., Path]

TREE = "(ROOT (S (NP-SBJ (PRP She)) (VP (VBD saw) (NP (DT a) (NN dog))) (. .)))"
CONLLU = """
# newdoc id = one
1 She she PRON PRP _ 2 nsubj _ _
2 saw see VERB VBD _ 0 root _ _
3 a a DET DT _ 4 det _ _
4 dog dog NOUN NN _ 2 obj _ _
5 . . PUNCT . _ 2 punct _ _

# newdoc id = two
1 ( ( PUNCT -LRB- _ 2 punct _ _
2 Go go VERB VB _ 0 root _ _
3 ) ) PUNCT -RRB- _ 2 punct _ _

1 Go go VERB VB _ 0 root _ _
"""
TREES = f"""# newdoc id = one
{TREE.replace("(VP", chr(10) + "  (VP")}
# newdoc id = two
( (S (-LRB- -LRB-) (NP-SBJ (-NONE- *)) (VP (VB Go)) (-RRB- -RRB-)) )
(ROOT (S (VP (VB Went))))
"""


def test_a_tree_gives_its_words_and_its_phrases_in_preorder() -> None:
    tree = parse_tree(TREE)
    assert tree.words == ("She", "saw", "a", "dog", ".")
    assert tree.constituents == (
        Constituent((0, 5), "ROOT"), Constituent((0, 5), "S"), Constituent((0, 1), "NP-SBJ"),
        Constituent((1, 4), "VP"), Constituent((2, 4), "NP"),
    )  # fmt: skip


def test_traces_are_no_words_and_phrases_of_them_alone_no_phrases() -> None:
    tree = parse_tree("( (S (NP (-NONE- *)) (VP (VB Go) (NP (NP (-NONE- *T*-1)) (NN on)))) )")
    assert tree.words == ("Go", "on")
    assert [(tuple(span), label) for span, label in tree.constituents] == [
        ((0, 2), ""), ((0, 2), "S"), ((0, 2), "VP"), ((1, 2), "NP"),
    ]  # fmt: skip


Node = tuple[str, list["Node"]] | str


@given(
    st.recursive(
        st.sampled_from(["w", "*", "a\\/b", "-LRB-"]),
        lambda inner: st.tuples(st.sampled_from("ABC"), st.lists(inner, min_size=1, max_size=4)),
        max_leaves=30,
    ).filter(lambda node: not isinstance(node, str)),
    st.sampled_from([" ", "\n  "]),
)
def test_every_tree_comes_back(tree: Node, blank: str) -> None:
    words: list[str] = []
    phrases: list[tuple[tuple[int, int], str]] = []

    def write(node: Node) -> str:
        if isinstance(node, str):
            words.append(node)
            return f"(T{blank}{node})"
        place, start = len(phrases), len(words)
        phrases.append(((0, 0), ""))
        text = f"({node[0]}{blank}{blank.join(map(write, node[1]))})"
        phrases[place] = ((start, len(words)), node[0])
        return text

    read = parse_tree(write(tree))
    assert read.words == tuple(words)
    assert [(tuple(span), label) for span, label in read.constituents] == phrases


@pytest.mark.parametrize(
    "text",
    ["", "word", "()", "(S)", "(S ())", "(S (NP a)", "(S (NP a)))", "(S (T a) b)", "(S a b)",
     "(S a (T b))", "(A (T a)) (B (T b))", ")", "(S (T a)) b"],
)  # fmt: skip
def test_what_is_no_tree_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_tree(text)


@given(st.text("()ab- \n", max_size=30))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        tree = parse_tree(text)
    except ValueError:
        return
    assert all(0 <= s < e <= len(tree.words) for (s, e), _ in tree.constituents)


def test_a_tree_of_any_depth_is_read() -> None:
    deep = 20_000
    tree = parse_tree("(A " * deep + "(T w)" + ")" * deep)
    assert len(tree.constituents) == deep


@pytest.mark.parametrize(
    ("leaves", "words", "same"),
    [
        (["-LRB-", "a-RRB-"], ["(", "a)"], True),
        (["-LRB-"], ["-LRB-"], True),
        (["1\\/2", "\\*"], ["1/2", "*"], True),
        (["a"], ["b"], False),
        (["a"], ["a", "b"], False),
    ],
)
def test_leaves_are_words_but_for_escapes(leaves: list[str], words: list[str], same: bool) -> None:
    tree = parse_tree("(S " + " ".join(f"(T {leaf})" for leaf in leaves) + ")")
    assert is_aligned(tree, words) is same


@pytest.mark.parametrize("packed", [False, True])
def test_the_file_beside_gives_each_sentence_its_tree(conllu: Write, packed: bool) -> None:
    path = conllu(CONLLU, "x-test.conllu")
    assert tree_file(path) is None and read_conllu(path).trees == {}
    beside = path.parent / ("x-test.ptb.gz" if packed else "x-test.ptb")
    beside.write_bytes(gzip.compress(TREES.encode()) if packed else TREES.encode())
    read = read_conllu(path)
    # The third tree has another word: it is left out, counted, and nobody else's.
    assert read.trees == {
        "tree_file": beside.name,
        "tree_sha256": sha256_of(beside),
        "trees": 2,
        "sentences_without_tree": 1,
    }
    one, two = read.documents
    assert one.constituents == parse_tree(TREE).constituents
    assert [tuple(span) for span, _ in two.constituents or ()] == [(0, 3), (0, 3), (1, 2)]


def test_positions_move_to_the_document(conllu: Write) -> None:
    path = conllu(CONLLU.replace("# newdoc id = two\n", ""), "x.conllu")
    (path.parent / "x.ptb").write_text(TREES, encoding="utf-8")
    (document,) = read_conllu(path).documents
    assert [tuple(span) for span, _ in document.constituents or ()][5:] == [(5, 8), (5, 8), (6, 7)]


def test_another_number_of_trees_is_an_error(conllu: Write) -> None:
    path = conllu(CONLLU, "x.conllu")
    (path.parent / "x.ptb").write_text(TREE, encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.ptb: 1 trees for the 3 sentences .*move the file"):
        read_conllu(path)


def test_a_fault_in_the_file_of_trees_has_its_line(conllu: Write) -> None:
    path = conllu(CONLLU, "x.conllu")
    (path.parent / "x.ptb").write_text(f"# one\n{TREE}\n(S (T a) b)\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.ptb:3: 'b' stands where a bracket is due"):
        read_conllu(path)
    (path.parent / "x.ptb").write_text(f"{TREE}\n(S (T a)\n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.ptb:2: this tree is not closed"):
        read_trees(path.parent / "x.ptb")


def test_a_comment_gives_its_sentence_its_tree(conllu: Write) -> None:
    told = f"# newdoc id = one\n# tree = {TREE}"
    read = read_conllu(conllu(CONLLU.replace("# newdoc id = one", told)))
    one, two = read.documents
    assert one.constituents == parse_tree(TREE).constituents and two.constituents is None
    assert read.trees == {"trees": 1, "sentences_without_tree": 2}
    assert "tree_not_read" not in read.counts


@pytest.mark.parametrize("tree", ["rake", TREE.replace("She", "He"), "(S", ""])
def test_a_comment_that_is_no_tree_of_the_sentence_is_counted(conllu: Write, tree: str) -> None:
    told = f"# newdoc id = one\n# tree = {tree}"
    read = read_conllu(conllu(CONLLU.replace("# newdoc id = one", told)))
    assert read.counts["tree_not_read"] == 1 and read.trees == {}
    assert read.documents[0].constituents is None


@pytest.mark.parametrize(("name", "trees"), [("gum_open-dev", 341), ("gum_open-test", 383)])
def test_the_trees_of_gum_fit(shared_data: Path, name: str, trees: int) -> None:
    path = shared_data / "gum_open" / f"{name}.conllu.gz"
    read = read_sentences(path)
    assert read.trees["trees"] == trees and read.trees["sentences_without_tree"] == 0
    # Brackets that open a phrase are those with another bracket right behind their label.
    text = gzip.decompress((shared_data / "gum_open" / f"{name}.ptb.gz").read_bytes()).decode()
    phrases = len(re.findall(r"\([^\s()]*\s*(?=\()", text))
    assert sum(len(s.constituents or ()) for s in read.sentences) == phrases
