"""What the columns of a data set hold, told by their names and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..core.errors import DataError
from .conllu_sentence import UPOS
from .iob_tags import are_tags

_WORDS = ("tokens", "words")
_TEXTS = ("text", "sentence")
_FIELDS = {
    "upos": "upos",
    "upos_tags": "upos",
    "xpos": "xpos",
    "xpos_tags": "xpos",
    "lemmas": "lemma",
    "lemma": "lemma",
    "pos_tags": "pos",
    "pos": "pos",
}
_LABELS = ("label", "labels")
_HIDDEN = (-1, None)


class Column(NamedTuple):
    """A column and the names of its classes; without any, values stand for themselves."""

    name: str
    classes: tuple[str, ...] | None

    def value(self, stored: Any) -> str | None:
        """What a stored value says; None where it is kept hidden.

        Raises IndexError for a number of no class.
        """
        if stored in _HIDDEN:
            return None
        return str(stored) if self.classes is None else self.classes[stored]


@dataclass(frozen=True)
class Columns:
    """``words`` or ``text`` is None. ``fields`` are those of ``Word`` by name, ``spans`` the tags
    of the edges of a task by the task's name, ``label`` what is said of the whole."""

    words: str | None
    text: str | None
    fields: Mapping[str, Column]
    spans: Mapping[str, Column]
    label: Column | None
    not_read: tuple[str, ...] = field(default=())

    def facts(self) -> dict[str, Any]:
        """For records: which columns were read as what, and which were not."""
        read = {"words": self.words} if self.words else {"text": self.text}
        read |= {name: column.name for name, column in {**self.fields, **self.spans}.items()}
        if self.label:
            read["label"] = self.label.name
        return {"read": read, "not_read": list(self.not_read)}


def read_columns(splits: Mapping[str, Any], where: str) -> Columns:
    """The columns of splits of the class ``datasets.Dataset``.

    Raises DataError where the splits differ, and where there are neither words nor text, or no
    labels.
    """
    features = next(iter(splits.values())).features
    for split, dataset in splits.items():
        if dict(dataset.features) != dict(features):
            raise DataError(
                f"the columns of {split} are others", where=where, cure="export the splits alike"
            )
    words = next((name for name in _WORDS if _is_list(features.get(name))), None)
    text = next((name for name in _TEXTS if _is_text(features.get(name))), None)
    if words is None and text is None:
        raise DataError(
            f"neither words nor text among the columns {', '.join(features)}",
            where=where,
            cure=f"name a list of words {_WORDS[0]}, or a text {_TEXTS[0]}",
        )
    fields: dict[str, Column] = {}
    spans: dict[str, Column] = {}
    label = None
    for name, feature in features.items():
        column = Column(name, _classes(feature))
        if name in _LABELS and label is None and _is_label(feature):
            label = column
        elif words is not None and name != words and _is_list(feature):
            kind = _FIELDS.get(name)
            if kind == "pos":
                kind = "upos" if set(_values(splits, column)) <= {*UPOS, "_"} else "xpos"
            if kind is not None:
                fields.setdefault(kind, column)
            elif (values := set(_values(splits, column))) and are_tags(values):
                spans[name.removesuffix("_tags")] = column
    read = {column.name for column in (*fields.values(), *spans.values())}
    read |= {words or text or "", label.name if label else ""}
    if not (fields or spans or label):
        raise DataError(
            f"no labels among the columns {', '.join(features)}",
            where=where,
            cure="known are upos, xpos, pos_tags, lemmas, label, and tags O, B-X, I-X of any name",
        )
    text = None if words else text
    rest = tuple(name for name in features if name not in read)
    return Columns(words, text, fields, spans, label, rest)


def _element(feature: Any) -> Any:
    """What a list is of: lists have had several classes; None for anything else."""
    if isinstance(feature, list):
        return feature[0]
    return getattr(feature, "feature", None)


def _is_text(feature: Any) -> bool:
    return getattr(feature, "dtype", None) in ("string", "large_string")


def _is_list(feature: Any) -> bool:
    element = _element(feature)
    return _is_text(element) or getattr(element, "names", None) is not None


def _is_label(feature: Any) -> bool:
    whole = str(getattr(feature, "dtype", ""))
    return _is_text(feature) or _classes(feature) is not None or whole.startswith(("int", "bool"))


def _classes(feature: Any) -> tuple[str, ...] | None:
    names = getattr(feature, "names", None) or getattr(_element(feature), "names", None)
    return tuple(names) if names is not None else None


def _values(splits: Mapping[str, Any], column: Column) -> Iterable[str]:
    """All classes, or all values that occur."""
    if column.classes is not None:
        return column.classes
    return {
        value for dataset in splits.values() for row in dataset[column.name] for value in row or ()
    } - {None}
