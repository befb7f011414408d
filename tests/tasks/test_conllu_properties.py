"""The reader on anything: arbitrary bytes, generated treebanks, and single damaged cells."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.tasks.base import NO_HEAD, Mention, Word
from layerwise.tasks.check import check_conllu
from layerwise.tasks.conllu import read_conllu

QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# The underscore comes first in a sentence only: nothing but underscores would be masked words.
FORMS = ["_", "a", "Haus", "5 000", "in  fact", "не", "好", "e\u0301", "#", "x=y|z", "🙂", '"', "-"]
FEATS: list[dict[str, str]] = [
    {},
    {"Case": "Nom"},
    {"Case": "Acc,Dat", "Number[psor]": "Sing"},
    {"Abbr": "Yes", "Number": "Plur"},
]


@dataclass(frozen=True)
class Gold:
    """What a generated file says, document by document: id, words, texts, offsets, mentions."""

    ids: list[str]
    words: list[list[Word]]
    texts: list[list[str]]
    offsets: list[list[list[Span]]]
    mentions: list[list[Mention]]
    text: str


def _cell(value: str) -> str:
    return value or "_"


def generate(seed: int) -> Gold:
    """A random sound file, written by other code than the reader's."""
    rng = random.Random(seed)
    gold = Gold([], [], [], [], [], "")
    lines: list[str] = []
    for d in range(rng.randint(1, 3)):
        gold.ids.append(f"doc {d}")
        for column in (gold.words, gold.texts, gold.offsets, gold.mentions):
            column.append([])
        for s in range(rng.randint(1, 3)):
            count = rng.randint(1, 7)
            base = len(gold.words[d])
            order = rng.sample(range(count), count)
            heads = [NO_HEAD] * count
            for place, word in enumerate(order[1:], 1):
                heads[word] = order[rng.randrange(place)]
            opened: list[list[str]] = [[] for _ in range(count)]
            closed: list[list[str]] = [[] for _ in range(count)]
            for m in range(rng.randint(0, 4)):
                start = rng.randrange(count)
                end = rng.randint(start + 1, count)
                entity, kind = f"e{s}.{m}", rng.choice(["person", "place"])
                fields = f"{entity}-{kind}-new-{rng.choice(['x', 'a-b/c', '-'])}"
                if end - start == 1:
                    opened[start].append(f"({fields})")
                else:
                    opened[start].append(f"({fields}")
                    closed[end - 1].append(f"{entity})")
                gold.mentions[d].append(Mention(Span(base + start, base + end), entity, kind))
            if s == 0:
                lines.append(f"# newdoc id = doc {d}")
            if s == d == 0:
                lines.append("# global.Entity = eid-etype-infstat-identity")
            lines += [f"# sent_id = {d}.{s}", "# author = x = y"]
            text, offsets = "", []
            at = 0
            while at < count:
                size = min(rng.choice([1, 1, 1, 2, 3]), count - at)
                if size == 1 and rng.random() < 0.2:
                    lines.append(f"{at}.1\tnode\t_\t_\t_\t_\t_\t_\t1:dep\t_")
                forms = [rng.choice(FORMS if at == 0 else FORMS[1:]) for _ in range(size)]
                whole = "".join(forms) if size == 1 or rng.random() < 0.5 else "zum"
                space = rng.random() < 0.6
                misc = "SpaceAfter=No" if not space else "_"
                if size > 1:
                    lines.append(f"{at + 1}-{at + size}\t{whole}" + "\t_" * 7 + f"\t{misc}")
                start = len(text)
                for i, form in enumerate(forms):
                    if whole == "".join(forms):
                        offsets.append(Span(start, start + len(form)))
                        start += len(form)
                    else:
                        offsets.append(Span(len(text), len(text) + len(whole)))
                    word = at + i
                    feats = rng.choice(FEATS)
                    head = heads[word]
                    gold.words[d].append(
                        Word(
                            form,
                            rng.choice(["", "lemma"]) if form != "_" else "_",
                            rng.choice(["NOUN", "", "X"]),
                            rng.choice(["", "NN"]),
                            feats,
                            head if head == NO_HEAD else head + base,
                            rng.choice(["", "nmod:poss"]) if head != NO_HEAD else "root",
                        )
                    )
                    w = gold.words[d][-1]
                    value = "".join(closed[word] + opened[word])
                    cells = ["Entity=" + value] if value else []
                    if misc != "_" and size == 1:
                        cells.append(misc)
                    lines.append(
                        "\t".join(
                            [
                                str(word + 1),
                                w.form,
                                _cell(w.lemma),
                                _cell(w.upos),
                                _cell(w.xpos),
                                _cell("|".join(f"{k}={v}" for k, v in feats.items())),
                                str(0 if head == NO_HEAD else head + 1),
                                _cell(w.deprel),
                                "_",
                                _cell("|".join(cells)),
                            ]
                        )
                    )
                text += whole + (" " if space else "")
                at += size
            lines.append("")
            gold.texts[d].append(text[:-1] if space else text)
            gold.offsets[d].append(offsets)
        gold.mentions[d].sort()
    return Gold(
        gold.ids, gold.words, gold.texts, gold.offsets, gold.mentions, "\n".join(lines) + "\n"
    )


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conllu") / "x.conllu"


def reads_or_refuses(path: Path) -> DataError | None:
    """None if the file was read; and the checker agrees with the reader either way."""
    try:
        read_conllu(path)
    except DataError as error:
        refused = error
    else:
        assert check_conllu(path).sound
        return None
    try:
        report = check_conllu(path, limit=1000)
    except DataError:
        return refused  # could not be unpacked
    first = next(problem for problem in report.problems if problem.severity == "error")
    assert not report.sound
    assert refused.where in {
        f"{path}:{p.line}" if p.line else str(path)
        for p in report.problems
        if p.severity == "error"
    }
    assert first.what
    return refused


@QUICK
@given(st.binary(max_size=300))
def test_arbitrary_bytes(scratch: Path, data: bytes) -> None:
    scratch.write_bytes(data)
    reads_or_refuses(scratch)
    scratch.write_bytes(b"\x1f\x8b" + data)
    reads_or_refuses(scratch)


CELL = st.one_of(
    st.sampled_from(["_", "1", "2", "3", "0", "1-2", "1.1", "0.1", "root", "A=b", "Entity=(1-x)"]),
    st.text(max_size=4),
)
LINE = st.one_of(
    st.lists(CELL, min_size=10, max_size=10).map("\t".join),
    st.sampled_from(
        ["", "# newdoc", "# newdoc id = a", "# sent_id = a", "# global.Entity = a", "#", "# text ="]
    ),
    st.tuples(st.sampled_from(["1", "2", "1-2"]), st.sampled_from(["0", "1", "2", "_"])).map(
        lambda pair: f"{pair[0]}\ta\ta\tX\t_\t_\t{pair[1]}\troot\t_\tEntity=(1-x)"
    ),
    st.text(max_size=20),
)


@QUICK
@given(st.lists(LINE, max_size=8))
def test_arbitrary_lines(scratch: Path, lines: list[str]) -> None:
    scratch.write_bytes("\n".join(lines).encode("utf-8", "replace"))
    reads_or_refuses(scratch)


@QUICK
@given(st.integers(0, 2**32))
def test_a_sound_file_is_read_as_it_was_written(scratch: Path, seed: int) -> None:
    gold = generate(seed)
    scratch.write_text(gold.text, encoding="utf-8", newline="")
    read = read_conllu(scratch)
    assert [d.document.id for d in read.documents] == gold.ids
    for document, words, texts, offsets, mentions in zip(
        read.documents, gold.words, gold.texts, gold.offsets, gold.mentions, strict=True
    ):
        assert list(document.words) == words
        assert document.document.words == tuple(word.form for word in words)
        assert [sentence.text for sentence in document.document.sentences] == texts
        assert [list(sentence.offsets) for sentence in document.document.sentences] == offsets
        assert list(document.mentions or ()) == mentions
    assert read.counts["mentions"] == sum(map(len, gold.mentions))
    assert read.counts["words"] == sum(map(len, gold.words))


@QUICK
@given(st.integers(0, 2**32), st.randoms(use_true_random=False), CELL)
def test_one_damaged_cell_is_refused_in_its_sentence_or_leaves_a_sound_file(
    scratch: Path, seed: int, rng: random.Random, value: str
) -> None:
    value = value.translate({10: None, 9: None, 13: None})
    lines = generate(seed).text.split("\n")
    rows = [i for i, line in enumerate(lines) if "\t" in line]
    line = rng.choice(rows)
    cells = lines[line].split("\t")
    column = rng.randrange(10)
    cells[column] = value
    lines[line] = "\t".join(cells)
    if lines[line].startswith("#"):
        return
    scratch.write_text("\n".join(lines), encoding="utf-8", newline="")
    error = reads_or_refuses(scratch)
    if error is None:
        return
    told = int(error.where.rpartition(":")[2]) - 1
    start, end = line, line
    while start and "\t" in lines[start - 1]:
        start -= 1
    while "\t" in lines[end]:
        end += 1
    # A head or a bracket can be wrong only together with others; so can an id.
    whole = column in (0, 6, 9)
    masked = "masked" in error.what
    assert start <= told < end if whole or masked else told == line
