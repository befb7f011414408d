"""Every sentence is a well-formed tree, and its layers agree with one another."""

from __future__ import annotations

import re
from typing import Any

import conllu


def _constituents(tree: str) -> tuple[list[str], list[tuple[int, int]]]:
    """The leaves of a bracket and the spans of its constituents."""
    leaves: list[str] = []
    spans: list[tuple[int, int]] = []
    opened: list[int] = []
    for token in re.findall(r"\((?=\S+ )\S+|\)|[^\s()]+", tree):
        if token == ")":
            spans.append((opened.pop(), len(leaves) - 1))
        elif token.startswith("("):
            opened.append(len(leaves))
        else:
            leaves.append(token)
    assert not opened
    return leaves, spans


def test_the_conllu_package_reads_it(texts: dict[str, str]) -> None:
    for text in texts.values():
        parsed = conllu.parse(text)
        assert len(parsed) == text.count("# sent_id")
        assert all(sentence.to_tree().token["head"] == 0 for sentence in parsed)


def test_each_sentence_is_one_projective_tree(sentences: list[Any]) -> None:
    for sentence in sentences:
        heads = [0] + [row.head for row in sentence.rows]
        assert [row.number for row in sentence.rows] == list(range(1, len(heads)))
        assert heads[1:].count(0) == 1
        for row in sentence.rows:
            assert 0 <= row.head < len(heads)
            assert (row.head == 0) == (row.deprel == "root")
            seen, at = set(), row.number
            while at:
                assert at not in seen
                seen.add(at)
                at = heads[at]
        arcs = [tuple(sorted((row.number, row.head))) for row in sentence.rows]
        assert not any(a < c < b < d for a, b in arcs for c, d in arcs)


def test_each_constituent_has_one_outward_arc(sentences: list[Any]) -> None:
    for sentence in sentences:
        leaves, spans = _constituents(sentence.comments["tree"])
        assert leaves == [row.form for row in sentence.rows]
        heads = [row.head - 1 for row in sentence.rows]
        for start, end in spans:
            outward = [i for i in range(start, end + 1) if not start <= heads[i] <= end]
            assert len(outward) == 1, (sentence.comments["text"], start, end)


def test_text_is_the_forms_joined(sentences: list[Any]) -> None:
    for sentence in sentences:
        multiwords = {first: (last, form, misc) for first, last, form, misc in sentence.multiwords}
        text, number = "", 1
        while number <= len(sentence.rows):
            last, form, misc = multiwords.get(
                number, (number, sentence.rows[number - 1].form, sentence.rows[number - 1].misc)
            )
            inside = sentence.rows[number - 1 : last]
            assert form == "".join(row.form for row in inside)
            text += form + ("" if "SpaceAfter=No" in misc else " ")
            number = last + 1
        assert text.rstrip() == sentence.comments["text"]
        by_word = "".join(
            row.form + ("" if "SpaceAfter=No" in row.misc else " ") for row in sentence.rows
        )
        assert by_word.rstrip() == sentence.comments["text"]


def test_surface_is_clean(sentences: list[Any]) -> None:
    for sentence in sentences:
        text = sentence.comments["text"]
        doubled = re.search(r"\b(\w+) \1\b", text)
        assert doubled is None or doubled.group() in ("that that", "had had", "her her"), text
        assert not re.search(r"  | [.,?!;]|,[.,?!]|,,", text), text
        assert not re.search(r"\ba [aeio]\w|\ban [bcdfgjklmnpqrstvwxyz]", text), text
        assert text[0].isupper() or text[0] == '"', text


def test_names_of_documents_and_sentences(corpus: dict[str, list[Any]]) -> None:
    for split, documents in corpus.items():
        for index, document in enumerate(documents, 1):
            assert document.name == f"builtin-{split}-{index:04d}"
            assert 8 <= len(document.sentences) <= 14
            for number, sentence in enumerate(document.sentences, 1):
                assert sentence.comments["sent_id"] == f"{document.name}-{number}"
            first = document.sentences[0].comments
            assert first["global.Entity"] == "GRP-etype-infstat-minspan-link"
