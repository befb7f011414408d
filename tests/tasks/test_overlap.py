"""n-grams of a text in other text: against sets of tuples, and files of every kind."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import Document, Sentence
from layerwise.tasks import plain_words as running
from layerwise.tasks.overlap import (
    Overlap,
    TextIndex,
    search_documents,
    search_file,
)
from layerwise.tasks.plain_words import plain_words

WORDS = ["a", "b", "7", "été", "好"]


def document(name: str, words: Sequence[str], cut: int = 4) -> Document:
    """Sentences of ``cut`` words; each document has a mark that is no word at its end."""
    words = [*words, "--"]
    parts = (words[i : i + cut] for i in range(0, len(words), cut))
    return Document(name, tuple(Sentence.from_words(part) for part in parts))


def oracle(texts: Sequence[Sequence[str]], others: Sequence[Sequence[str]], n: int) -> Overlap:
    """The same counts from sets of tuples."""
    known = {tuple(other[i : i + n]) for other in others for i in range(len(other) - n + 1)}
    places = [
        (t, i)
        for t, text in enumerate(texts)
        for i in range(len(text) - n + 1)
        if tuple(text[i : i + n]) in known
    ]
    return Overlap(
        ngram=n,
        documents=len(texts),
        documents_met=len({t for t, _ in places}),
        documents_too_short=sum(len(text) < n for text in texts),
        words=sum(map(len, texts)),
        words_covered=len({(t, i + k) for t, i in places for k in range(n)}),
        ngrams=sum(max(len(text) - n + 1, 0) for text in texts),
        ngrams_met=len(places),
    )


TEXT = st.lists(st.sampled_from(WORDS), max_size=25)
QUICK = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(st.lists(TEXT, max_size=5), st.lists(TEXT, max_size=4), st.integers(1, 18))
def test_documents_against_sets(texts: list[list[str]], others: list[list[str]], n: int) -> None:
    index = TextIndex([document(f"t{i}", text) for i, text in enumerate(texts)], n)
    search = search_documents(index, [document("o", other, 3) for other in others])
    assert index.measure(search.met) == oracle(texts, others, n)
    assert search.words == sum(map(len, others))


@QUICK
@given(
    st.lists(TEXT, min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from([*WORDS, "new"]), st.integers(0, 1 << 30)), max_size=60),
    st.integers(1, 9),
    st.integers(1, 40),
    st.booleans(),
)
def test_files_against_sets_whatever_the_block(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    texts: list[list[str]],
    other: list[tuple[str, int]],
    n: int,
    block: int,
    packed: bool,
) -> None:
    written, lines, line = "", [], 1
    for word, seed in other:
        rng = random.Random(seed)
        lines.append(line)
        written += rng.choice(["", "(", "``", "_"]) + rng.choice([word, word.upper()])
        between = rng.choice([" ", " ", ", ", " - ", "\n", "\r\n", "\n\n", "_\t "])
        written += between
        line += between.count("\n")
    path = tmp_path / ("text.gz" if packed else "text.txt")
    data = written.encode("utf-8")
    path.write_bytes(gzip.compress(data) if packed else data)
    monkeypatch.setattr(running, "_BLOCK", block)
    documents = [document(f"t{i}", text) for i, text in enumerate(texts)]
    index = TextIndex(documents, n)
    search, examples = search_file(index, path)
    words = [word for word, _ in other]
    assert index.measure(search.met) == oracle(texts, [words], n)
    assert search.words == len(words)
    # Examples, found by walking: each hit that begins behind the last example.
    expected, free = [], 0
    for i in range(len(words) - n + 1):
        gram = words[i : i + n]
        owners = [
            d.id
            for d, text in zip(documents, texts, strict=True)
            if any(text[k : k + n] == gram for k in range(len(text) - n + 1))
        ]
        if owners and i >= free and len(expected) < 5:
            expected.append((owners[0], " ".join(gram), path.name, lines[i + n - 1]))
            free = i + n
    assert [tuple(example) for example in examples] == expected


def test_raw_and_tokenised_text_are_the_same() -> None:
    raw = "“Don’t,” she said—it’s Mr. Smith's well-known $3,000 _dog_!"
    penn = "`` Do n't , '' she said -- it 's Mr. Smith 's well @-@ known $ 3,000 dog !"
    words = "do nt she said it s mr smith s well known 3 000 dog".split()
    assert plain_words(raw) == plain_words(penn) == words
    assert plain_words("e\u0301te\u0301") == plain_words("ÉTÉ") == ["été"]
    assert plain_words(" - ... _ ") == []


def test_a_file_has_all_of_itself_and_nothing_of_another(tmp_path: Path) -> None:
    rng = random.Random(3)
    words = [f"w{rng.randrange(500)}" for _ in range(20_000)]
    path = tmp_path / "text.txt"
    path.write_text(" ".join(words[:10_000]), encoding="utf-8")
    index = TextIndex([document("in", words[:10_000]), document("out", words[10_000:])])
    search, examples = search_file(index, path)
    found = index.measure(search.met)
    assert (found.documents_met, found.ngrams_met) == (1, 10_000 - 12)
    assert (found.share_of_words, found.words_covered) == (0.5, 10_000)
    assert found.facts()["share_of_ngrams"] == 0.5 and found.facts()["ngram"] == 13
    assert [example.words for example in examples] == [
        " ".join(words[i : i + 13]) for i in range(0, 65, 13)
    ]


def test_no_ngram_reaches_over_the_end_of_a_document() -> None:
    whole = document("w", ["a", "b", "c", "d"])
    halves = [document("p", ["a", "b"]), document("q", ["c", "d"])]
    for texts, others in (([whole], halves), (halves, [whole])):
        index = TextIndex(texts, 3)
        assert index.measure(search_documents(index, others).met).ngrams_met == 0
        index = TextIndex(texts, 2)
        assert index.measure(search_documents(index, others).met).ngrams_met == 2


def test_nothing_to_find() -> None:
    index = TextIndex([], 3)
    found = index.measure(search_documents(index, [document("o", WORDS)]).met)
    assert found == oracle([], [WORDS], 3) and found.share_of_words == found.share_of_ngrams == 0


def test_memory_is_that_of_the_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.txt.gz"
    with gzip.open(path, "wt") as stream:
        for start in range(0, 400_000, 1000):  # one line, and every word of it new
            stream.write("".join(f"word{i} " for i in range(start, start + 1000)))
    monkeypatch.setattr(running, "_BLOCK", 1 << 14)
    index = TextIndex([document("d", WORDS * 10)])
    tracemalloc.start()
    search, _ = search_file(index, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert search.words == 400_000
    assert peak < 2_000_000, "the text itself has 4.3 million bytes"


def test_wrong_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = TextIndex([document("d", WORDS)], 2)
    good = gzip.compress(b"some words here\n" * 100)
    cases = {
        "latin.txt": (b"one\ntwo\ncaf\xe9 au lait\n", r"latin.txt:3: not UTF-8"),
        "cut.gz": (good[:-20], r"cut.gz: cannot be read \(.*\); name a text file"),
        "plain.gz": (b"no gzip", r"plain.gz: cannot be read"),
        "damaged.gz": (good[:15] + b"\xff\xff" + good[17:], r"damaged.gz: cannot be read"),
    }
    for name, (data, message) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=message):
            search_file(index, tmp_path / name)
    with pytest.raises(DataError, match=r"none.txt: no such file"):
        search_file(index, tmp_path / "none.txt")
    with pytest.raises(DataError, match="cannot be read"):
        search_file(index, tmp_path)
    monkeypatch.setattr(running, "_LONGEST", 1000)
    monkeypatch.setattr(running, "_BLOCK", 100)
    (tmp_path / "zeros.txt").write_bytes(bytes(5000))
    with pytest.raises(DataError, match="no space and no end of a line"):
        search_file(index, tmp_path / "zeros.txt")
    (tmp_path / "empty.txt").write_bytes(b"")
    assert search_file(index, tmp_path / "empty.txt")[0].words == 0


def test_a_number_of_words_is_at_least_one() -> None:
    with pytest.raises(UsageError, match="--ngram: not a number of words: 0; write --ngram 13"):
        TextIndex([], 0)


def test_real_text(shared_data: Path) -> None:
    """A passage of a file is found in it, on its lines, as `grep` numbers them."""
    path = shared_data / "pretrain" / "gutenberg-valid.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = stream.read().split("\n")
    row = next(i for i, text in enumerate(rows) if i > 300 and len(text.split()) > 60)
    passage = rows[row].split()[5:45]
    index = TextIndex([document("copied", passage), document("own", [f"x{i}" for i in range(40)])])
    search, examples = search_file(index, path)
    found = index.measure(search.met)
    assert (found.documents_met, found.documents) == (1, 2)
    assert found.words_covered == len(plain_words(" ".join(passage)))
    assert examples[0].line == row + 1 and examples[0].document == "copied"


def test_nothing_hangs_on_the_hash_seed() -> None:
    code = (
        "from layerwise.core.types import *\n"
        "from layerwise.tasks.overlap import *\n"
        "d = Document('d', (Sentence.from_words('a b c a b c d a b'.split()),))\n"
        "i = TextIndex([d], 2)\n"
        "print(search_documents(i, [d]).met.tolist(), [i.example(k) for k in range(1, i.size)])\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1 and "b c" in said.pop()
