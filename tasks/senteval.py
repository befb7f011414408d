"""SentEval's probing files: a sentence and its label on each line, and the split it belongs to.

Source: Conneau et al. 2018 (ACL), What you can cram into a single vector, and their SentEval.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ..core.errors import DataError, did_you_mean
from ..core.types import Document, Sentence
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, bare
from .table_rows import table_rows

_SPLITS = {"tr": "train", "va": "dev", "te": "test"}
_COLUMNS = ("split (tr, va, te)", "label", "sentence")


def read_senteval(path: Path) -> dict[str, AnnotatedFile]:
    """Read a file, plain or gzip, into train, dev and test: a document of one sentence a line.

    A line is ``tr``, ``va`` or ``te``, a tab, the label, a tab, and the sentence, whose words are
    set apart by single spaces; quotes are words like others. The label is the document's attribute
    ``label``, as written; documents are called after the file and their line
    (``past_present#17``). ``counts`` of each split: ``documents``, ``words``, and
    ``label LABEL`` for each label.

    Raises DataError with ``where="FILE:LINE"`` at the first fault, and for a split without lines.
    """
    found: dict[str, list[AnnotatedDocument]] = {name: [] for name in _SPLITS.values()}
    stem = Path(path.name.removesuffix(".gz")).stem
    for number, where, (split, label, text) in table_rows(path, _COLUMNS, header=False):
        if split not in _SPLITS:
            raise DataError(
                f"no split is called {split!r}", where=where, cure=did_you_mean(split, _SPLITS)
            )
        words = tuple(text.split(" "))
        if not all(word.strip() for word in words):
            raise DataError(
                "a space too many in the sentence",
                where=where,
                cure="set words apart by one space each",
            )
        document = Document(f"{stem}#{number}", (Sentence.from_words(words),))
        found[_SPLITS[split]].append(
            AnnotatedDocument(document, tuple(map(bare, words)), attributes={"label": label})
        )
    for short, name in _SPLITS.items():
        if not found[name]:
            raise DataError(
                f"no sentence for {name}",
                where=str(path),
                cure=f"add lines that begin with {short}",
            )
    return {name: _file(documents) for name, documents in found.items()}


def _file(documents: list[AnnotatedDocument]) -> AnnotatedFile:
    labels = Counter(f"label {document.attributes['label']}" for document in documents)
    counts = {
        "documents": len(documents),
        "words": sum(len(document.words) for document in documents),
        **dict(sorted(labels.items())),
    }
    return AnnotatedFile(tuple(documents), counts)
