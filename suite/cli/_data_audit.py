"""``probe data audit``: what the splits of a corpus share, and what of them some text has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...results.escaping import visible

if TYPE_CHECKING:
    from ...core.types import Document
    from ...tasks.audit import Audit, Shared

_MOST_VALUES = 8


@click.command(name="audit")
@click.argument("name", default="builtin")
@click.option(
    "--split",
    type=click.Choice(["given", "document", "sentence"]),
    default="given",
    show_default=True,
    help="Split the text anew first.",
)
@click.option(
    "--against",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Text that an encoder was trained on (UTF-8, or .gz): how much of the test split is in it? Repeatable.",
)
@click.option("--ngram", default=13, show_default=True, help="Words of the n-grams compared.")
@click.option(
    "-f", "--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal"
)
def command(name: str, split: str, against: tuple[Path, ...], ngram: int, format_: str) -> int:
    """Tell what the splits of a corpus share, and what of its test split other text has.

    NAME is builtin, a corpus or a path. n-grams are compared without regard to capitals and
    punctuation, all else as it is written.

    \b
    probe data audit ewt
    probe data audit gum_open --split sentence --against masc.txt.gz
    """
    from ...tasks.audit import audit
    from ...tasks.corpora import load_corpus
    from ...tasks.splits import resplit

    corpus = resplit(load_corpus(name), split)
    audited = audit(corpus, ngram)
    test = [annotated.document for annotated in corpus.splits["test"]]
    met = _look_up(test, against, ngram) if against else None
    if format_ == "json":
        report = audited.facts() | ({"against": met} if met else {})
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        lines = [*_about(audited), *(_about_files(met) if met else ())]
        click.echo("\n".join(map(visible, lines)))
    return 0


def _look_up(test: Sequence[Document], paths: Sequence[Path], ngram: int) -> dict[str, Any]:
    """What each file has of the documents, and what all of them have together."""
    import numpy as np

    from ...tasks.overlap import TextIndex, search_file

    index = TextIndex(test, ngram)
    together = np.zeros(index.size, np.bool_)
    files, examples = [], []
    for path in paths:
        search, found = search_file(index, path)
        together |= search.met
        examples += [example._asdict() for example in found]
        facts = index.measure(search.met).facts()
        files.append({"file": path.name, "words_read": search.words, **facts})
    return {
        "split": "test",
        "files": files,
        "together": index.measure(together).facts(),
        "examples": examples[:5],
    }


def _about(audited: Audit) -> Iterator[str]:
    yield f"{audited.corpus}; split: {audited.split}"
    yield ""
    sizes = [
        [split, *(f"{number:,}" for number in astuple(size))]
        for split, size in audited.sizes.items()
    ]
    yield from _grid([["", "documents", "sentences", "words", "repeated sentences"], *sizes])
    yield ""
    rows = [_column(shared, audited.ngram) for shared in audited.shared]
    heads = [f"{shared.held_out} in {shared.known}" for shared in audited.shared]
    yield from _grid([["", *heads], *([name, *(row[name] for row in rows)] for name in rows[0])])
    for shared in audited.shared:
        for kind, values in shared.unseen_values.items():
            told = [f"{value} ({count:,})" for value, count in values.items()]
            more = len(told) - _MOST_VALUES
            told[_MOST_VALUES:] = [f"{more} more"] if more > 0 else []
            yield f"{kind} of {shared.held_out} never in {shared.known}: {', '.join(told)}"


def _column(shared: Shared, ngram: int) -> dict[str, str]:
    return {
        "documents of one id": f"{shared.documents_by_id:,}",
        "documents of one text": f"{shared.documents_by_text:,}",
        "sentences, word for word": _percent(shared.sentences),
        "  words in these": _percent(shared.sentence_words),
        f"words in a shared {ngram}-gram": _percent(shared.ngram_words),
        "different forms": _percent(shared.form_types),
        "  words of these": _percent(shared.form_tokens),
        "different lemmas": _percent(shared.lemma_types),
        "  words of these ": _percent(shared.lemma_tokens),
    }


def _about_files(met: Mapping[str, Any]) -> Iterator[str]:
    files = met["files"]
    n = files[0]["ngram"]
    yield ""
    rows = [[each["file"], f"{each['words_read']:,}", *_met(each)] for each in files]
    if len(files) > 1:
        total = sum(each["words_read"] for each in files)
        rows.append(["together", f"{total:,}", *_met(met["together"])])
    yield from _grid([["", "words read", f"test {n}-grams", "test words", "test documents"], *rows])
    short = files[0]["documents_too_short"]
    if short:
        yield f"{short:,} test documents have fewer than {n} words and cannot be found"
    for example in met["examples"]:
        yield f"{example['file']}:{example['line']}: {example['words']} ({example['document']})"


def _met(facts: Mapping[str, Any]) -> list[str]:
    documents = f"{facts['documents_met']:,} of {facts['documents']:,}"
    return [_percent(facts["share_of_ngrams"]), _percent(facts["share_of_words"]), documents]


def _percent(share: float | None) -> str:
    """In percent; what is there, however little, is never shown as nothing."""
    if share is None:
        return "no lemmas"
    return "<0.01%" if 0 < share < 5e-5 else f"{100 * share:.2f}%"


def _grid(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of equal width, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells])
