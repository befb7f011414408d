"""The leakage audit: what the splits of a corpus, and the targets of a task, have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..core.errors import DataError
from ..core.types import SPLITS, Target
from .aspects import Located
from .base import AnnotatedDocument, Corpus, Word
from .overlap import NGRAM, TextIndex, search_documents

PAIRS = (("dev", "train"), ("test", "train"), ("test", "dev"))
"""The splits that are compared: what of the first the second has, too."""

Documents = Sequence[AnnotatedDocument]


@dataclass(frozen=True)
class SplitSize:
    """Counts of a split. A sentence is ``repeated`` if an earlier one of the split equals it."""

    documents: int
    sentences: int
    words: int
    repeated_sentences: int


@dataclass(frozen=True)
class Shared:
    """What of a split (``held_out``) another one (``known``) has, too.

    Counts of documents by id and by text; all others are shares of the held-out split: of its
    sentences, word for word, capitals included (``sentences``, and the words in them); of its
    words that stand in an n-gram that the known split has (``ngram_words``, as in
    ``overlap.Overlap``, which tells near duplicates); of its different forms and lemmas, as
    written (``form_types``), and of the words that have them (``form_tokens``). Shares of lemmas
    are of the words that have one, None where none has.

    ``unseen_values`` are the tags, relations and features of held-out words that no known word
    has, with the number of these words: ``{"upos": {"SYM": 3}, "Case": {"Voc": 1}}``.
    """

    held_out: str
    known: str
    documents_by_id: int
    documents_by_text: int
    sentences: float
    sentence_words: float
    ngram_words: float
    form_types: float
    form_tokens: float
    lemma_types: float | None
    lemma_tokens: float | None
    unseen_values: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Audit:
    """The sizes of the splits of a corpus, and what each two of them share (``PAIRS``)."""

    corpus: str
    split: str
    ngram: int
    sizes: Mapping[str, SplitSize]
    shared: tuple[Shared, ...]

    def facts(self) -> dict[str, Any]:
        """All of it as plain numbers and names, for JSON."""
        return asdict(self)


def audit(corpus: Corpus, ngram: int = NGRAM) -> Audit:
    """Count what the splits of a corpus share. Raises DataError where a split is empty."""
    for name in SPLITS:
        if not corpus.splits.get(name):
            raise DataError(
                f"the {name} split is empty",
                where=f"--data {corpus.name}",
                cure="name data with three splits, or have it split (--split document)",
            )
    views = {name: _View(corpus.splits[name]) for name in SPLITS}
    texts = {name: [d.document for d in corpus.splits[name]] for name in SPLITS}
    indices = {name: TextIndex(texts[name], ngram) for name in ("dev", "test")}
    shared = []
    for held_out, known in PAIRS:
        index = indices[held_out]
        covered = index.measure(search_documents(index, texts[known]).met).share_of_words
        shared.append(views[held_out].shared(held_out, known, views[known], covered))
    return Audit(
        corpus=corpus.name,
        split=str(corpus.facts.get("split", "not stated")),
        ngram=ngram,
        sizes={name: view.size for name, view in views.items()},
        shared=tuple(shared),
    )


class _View:
    """A split, counted once for all comparisons."""

    def __init__(self, documents: Documents) -> None:
        words = [word for document in documents for word in document.words]
        sentences = [s.words for document in documents for s in document.document.sentences]
        self.ids = {document.document.id for document in documents}
        self.texts = Counter(document.document.words for document in documents)
        self.sentences = Counter(sentences)
        self.forms = Counter(word.form for word in words)
        self.lemmas = Counter(word.lemma for word in words if word.lemma)
        self.values = Counter(value for word in words for value in _values(word))
        self.size = SplitSize(
            documents=len(documents),
            sentences=len(sentences),
            words=len(words),
            repeated_sentences=len(sentences) - len(self.sentences),
        )

    def shared(self, held_out: str, known_as: str, known: _View, covered: float) -> Shared:
        both = {words: n for words, n in self.sentences.items() if words in known.sentences}
        unseen: dict[str, dict[str, int]] = {}
        for (kind, value), count in sorted(self.values.items()):
            if (kind, value) not in known.values:
                unseen.setdefault(kind, {})[value] = count
        return Shared(
            held_out=held_out,
            known=known_as,
            documents_by_id=len(self.ids & known.ids),
            documents_by_text=sum(n for text, n in self.texts.items() if text in known.texts),
            sentences=sum(both.values()) / self.size.sentences,
            sentence_words=sum(len(words) * n for words, n in both.items()) / self.size.words,
            ngram_words=covered,
            form_types=_types(self.forms, known.forms),
            form_tokens=_tokens(self.forms, known.forms),
            lemma_types=_types(self.lemmas, known.lemmas) if self.lemmas else None,
            lemma_tokens=_tokens(self.lemmas, known.lemmas) if self.lemmas else None,
            unseen_values=unseen,
        )


def _values(word: Word) -> Iterator[tuple[str, str]]:
    for kind, value in (("upos", word.upos), ("xpos", word.xpos), ("deprel", word.deprel)):
        if value:
            yield kind, value
    yield from word.feats.items()


def _types(held_out: Counter[str], known: Counter[str]) -> float:
    return len(held_out.keys() & known.keys()) / len(held_out)


def _tokens(held_out: Counter[str], known: Counter[str]) -> float:
    return sum(n for key, n in held_out.items() if key in known) / held_out.total()


def audit_targets(train: Sequence[Located], test: Sequence[Located]) -> dict[str, float]:
    """How far the targets of a task can be told from the words alone, and how its labels lie.

    Of each split: ``targets``, ``classes``, ``label_entropy`` in bits, ``majority_share``, and
    ``imbalance``, the most frequent label's count by the rarest one's; each label of a target with
    several counts. Of the test targets: the share whose key occurs in train
    (``test_keys_seen``), or occurs there with one label only (``test_keys_decided``); the share
    with a label that train has not (``test_labels_unseen``), and how many such labels there are
    (``test_classes_unseen``). A target's key is the words of its span, or of both spans, in lower
    case. Raises DataError where either has no target.
    """
    told: dict[str, float] = {}
    labels = {"train": _label_counts(train), "test": _label_counts(test)}
    for name, targets in (("train", train), ("test", test)):
        if not targets:
            raise DataError(f"the {name} split has no targets to audit", where="audit")
        told[f"{name}_targets"] = len(targets)
        told |= {f"{name}_{what}": number for what, number in _balance(labels[name]).items()}
    known: dict[tuple[str, ...], Any] = {}
    for key, (_, target) in zip(_keys(train), train, strict=True):
        if known.setdefault(key, target.label) != target.label:
            known[key] = None
    seen = [known[key] is not None for key in _keys(test) if key in known]
    unseen = labels["test"].keys() - labels["train"].keys()
    told["test_keys_seen"] = len(seen) / len(test)
    told["test_keys_decided"] = sum(seen) / len(test)
    told["test_labels_unseen"] = sum(
        not unseen.isdisjoint(_labels(target)) for _, target in test
    ) / len(test)
    told["test_classes_unseen"] = len(unseen)
    return told


def _labels(target: Target) -> tuple[str, ...]:
    return (target.label,) if isinstance(target.label, str) else target.label


def _label_counts(located: Iterable[Located]) -> Counter[str]:
    return Counter(label for _, target in located for label in _labels(target))


def _balance(labels: Counter[str]) -> dict[str, float]:
    if not labels:  # targets of any number of labels, all of which have none
        return {"classes": 0, "label_entropy": 0.0, "majority_share": 0.0, "imbalance": 1.0}
    counts = np.array(sorted(labels.values()), np.float64)
    shares = counts / counts.sum()
    return {
        "classes": len(counts),
        "label_entropy": abs(float(-(shares * np.log2(shares)).sum())),
        "majority_share": float(shares[-1]),
        "imbalance": float(counts[-1] / counts[0]),
    }


def _keys(located: Iterable[Located]) -> Iterator[tuple[str, ...]]:
    for annotated, target in located:
        words = annotated.document.words
        (start, end), other = target.span1, target.span2
        first = words[start].lower() if end - start == 1 else " ".join(words[start:end]).lower()
        yield (first,) if other is None else (first, " ".join(words[slice(*other)]).lower())
