"""The reader on real treebanks, against published counts and against other readers."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import conllu as package
import pytest

from layerwise.tasks.base import NO_HEAD
from layerwise.tasks.conllu import ConlluFile

Read = Callable[[str], ConlluFile]

# The README of the shared data: documents where told, sentences, words.
PUBLISHED = {
    "gum_open/gum_open-train": (30, 1247, 26579),
    "gum_open/gum_open-dev": (10, 341, 8383),
    "gum_open/gum_open-test": (9, 383, 7996),
    "gum/en_gum-ud-train": (177, 10224, 177410),
    "gum/en_gum-ud-dev": (30, 1575, 28119),
    "gum/en_gum-ud-test": (30, 1464, 28397),
    "ewt/en_ewt-ud-train": (540, 12544, 204577),
    "ewt/en_ewt-ud-dev": (318, 2001, 25147),
    "ewt/en_ewt-ud-test": (316, 2077, 25094),
    "ud/UD_English-PUD/en_pud-ud-test": (397, 1000, None),
    "ud/UD_Arabic-PUD/ar_pud-ud-test": (397, 1000, None),
    "ud/UD_Czech-PUD/cs_pud-ud-test": (397, 1000, None),
    "ud/UD_Finnish-PUD/fi_pud-ud-test": (397, 1000, None),
    "ud/UD_Turkish-PUD/tr_pud-ud-test": (397, 1000, None),
    "ud/UD_Finnish-TDT/fi_tdt-ud-dev": (1, 1364, 18308),
    "ud/UD_Finnish-TDT/fi_tdt-ud-test": (1, 1555, 21070),
    "ud/UD_Czech-CLTT/cs_cltt-ud-train": (6, 467, 13894),
    "ud/UD_Czech-CLTT/cs_cltt-ud-dev": (5, 316, 10710),
    "ud/UD_Czech-CLTT/cs_cltt-ud-test": (6, 338, 11409),
    "ud/UD_Turkish-FrameNet/tr_framenet-ud-train": (1, 2288, 16335),
    "ud/UD_Turkish-FrameNet/tr_framenet-ud-dev": (1, 205, 1421),
    "ud/UD_Turkish-FrameNet/tr_framenet-ud-test": (1, 205, 1467),
    "ud/UD_Turkish-IMST/tr_imst-ud-train": (55, 3435, 37522),
    "ud/UD_Turkish-IMST/tr_imst-ud-dev": (67, 1100, 10542),
    "ud/UD_Turkish-IMST/tr_imst-ud-test": (47, 1100, 10032),
}
COMPARED = [
    "gum_open/gum_open-train",
    "ewt/en_ewt-ud-test",
    "ud/UD_Arabic-PUD/ar_pud-ud-test",
    "ud/UD_Czech-PUD/cs_pud-ud-test",
    "ud/UD_Finnish-TDT/fi_tdt-ud-dev",
    "ud/UD_Turkish-IMST/tr_imst-ud-test",
    "ud/UD_Turkish-PUD/tr_pud-ud-test",
]
FILE = "{}.conllu.gz"


@lru_cache(maxsize=4)
def lines(shared_data: Path, name: str) -> list[str]:
    with gzip.open(shared_data / FILE.format(name), "rt", encoding="utf-8", newline="\n") as stream:
        return stream.read().split("\n")


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_and_texts(read_shared: Read, shared_data: Path, name: str) -> None:
    read = read_shared(FILE.format(name))
    documents, sentences, words = PUBLISHED[name]
    assert read.counts["documents"] == documents
    assert read.counts["sentences"] == sentences
    assert words is None or read.counts["words"] == words
    # The surface text is rebuilt from the rows; the treebank tells it in a comment.
    told = [line[9:] for line in lines(shared_data, name) if line.startswith("# text = ")]
    built = [s.text for d in read.documents for s in d.document.sentences]
    assert len(told) == len(built)
    assert [" ".join(t.split()) for t in told] == [" ".join(t.split()) for t in built]


@pytest.mark.parametrize("name", COMPARED)
def test_the_same_as_a_plain_reader(read_shared: Read, shared_data: Path, name: str) -> None:
    read = read_shared(FILE.format(name))
    rows = [line.split("\t") for line in lines(shared_data, name) if re.match(r"\d+\t", line)]
    words = [word for document in read.documents for word in document.words]
    assert [word.form for word in words] == [row[1] for row in rows]
    assert [word.upos for word in words] == [row[3] for row in rows]
    assert [word.deprel for word in words] == [row[7] for row in rows]
    assert ["|".join(f"{k}={v}" for k, v in w.feats.items()) or "_" for w in words] == [
        row[5] for row in rows
    ]
    at = 0
    for document in read.documents:
        starts = document.document.sentence_starts
        for start, end in pairwise(starts):
            for position in range(start, end):
                head = int(rows[at][6])
                expected = NO_HEAD if head == 0 else start + head - 1
                assert document.words[position].head == expected
                at += 1
    inside, until = [], 0
    for line in lines(shared_data, name):
        if match := re.match(r"(\d+)(?:-(\d+))?\t", line):
            until = int(match[2]) if match[2] else until
            if not match[2]:
                inside.append(int(match[1]) <= until)
        elif not line:
            until = 0
    cut = [
        sentence.text[start:end]
        for document in read.documents
        for sentence in document.document.sentences
        for start, end in sentence.offsets
    ]
    assert all(c == w.form for c, w, i in zip(cut, words, inside, strict=True) if not i)


@pytest.mark.parametrize(
    "name", ["gum_open/gum_open-dev", "ud/UD_Czech-PUD/cs_pud-ud-test", "ewt/en_ewt-ud-dev"]
)
def test_the_same_as_the_conllu_package(read_shared: Read, shared_data: Path, name: str) -> None:
    read = read_shared(FILE.format(name))
    parsed = package.parse("\n".join(lines(shared_data, name)))
    tokens = [token for sentence in parsed for token in sentence if isinstance(token["id"], int)]
    words = [word for document in read.documents for word in document.words]
    assert len(words) == len(tokens)
    for word, token in zip(words, tokens, strict=True):
        assert (word.form, word.upos, word.deprel) == (
            token["form"],
            token["upos"],
            token["deprel"],
        )
        assert (word.lemma, word.xpos) == (
            token["lemma"] if word.form == "_" or token["lemma"] != "_" else "",
            token["xpos"] or "",
        )
        assert word.feats == (token["feats"] or {})
        assert (word.head == NO_HEAD) == (token["head"] == 0)


def test_mentions_of_gum_open(read_shared: Read, shared_data: Path) -> None:
    chains: Counter[tuple[str, str]] = Counter()
    total = 0
    for split in ("train", "dev", "test"):
        name = f"gum_open/gum_open-{split}"
        read = read_shared(FILE.format(name))
        total += read.counts["mentions"]
        got = [
            (document.document.id, *mention.span, mention.entity, mention.entity_type)
            for document in read.documents
            for mention in document.mentions or ()
        ]
        chains.update((row[0], row[3]) for row in got)
        assert Counter(got) == Counter(brute_force(lines(shared_data, name)))
    assert total == 12440
    assert sum(count > 1 for count in chains.values()) == 1716


def brute_force(rows: list[str]) -> list[tuple[str, int, int, str, str]]:
    """Mentions by walking the signs, for brackets that nest or cross by id."""
    found, document, position = [], "", 0
    stack: list[tuple[str, int, str]] = []
    for row in rows:
        if row.startswith("# newdoc id = "):
            document, position = row[14:], 0
        match = re.match(r"\d+\t", row)
        if not match:
            continue
        value = re.search(r"[\t|]Entity=([^|]*)", row)
        for piece in re.findall(r"\([^()]*|[^()]*\)", value[1] if value else ""):
            if piece[0] == "(":
                entity, kind = piece[1:].split("-")[:2]
                stack.append((entity, position, kind))
            else:
                key = piece[:-1] or stack[-1][0]
                place = max(i for i, item in enumerate(stack) if item[0] == key)
                entity, start, kind = stack.pop(place)
                found.append((document, start, position + 1, entity, kind))
        position += 1
    assert not stack
    return found


def test_known_traps_are_counted(read_shared: Read) -> None:
    arabic = read_shared("ud/UD_Arabic-PUD/ar_pud-ud-test.conllu.gz")
    assert arabic.counts["document_reopened"] == 603
    turkish = read_shared("ud/UD_Turkish-IMST/tr_imst-ud-train.conllu.gz")
    assert turkish.counts["form_missing"] == 9
    assert turkish.counts["multiword_rows"] == 1082
    english = read_shared("ewt/en_ewt-ud-train.conllu.gz")
    assert english.counts["empty_nodes"] == 37
    assert "form_missing" not in english.counts
