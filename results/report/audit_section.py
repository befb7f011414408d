"""What the targets of each task and the splits of each text have in common, as the records tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.files import canonical_json
from ..records import Record
from ..render import MISSING
from .markup import Markup, section, table, tag

_TARGETS = {
    "train_targets": "targets in train",
    "test_targets": "targets in test",
    "train_classes": "labels in train",
    "test_classes": "labels in test",
    "train_label_entropy": "entropy of labels in train, bits",
    "test_label_entropy": "entropy of labels in test, bits",
    "train_majority_share": "share of the majority label in train",
    "test_majority_share": "share of the majority label in test",
    "train_imbalance": "most frequent label over rarest, train",
    "test_imbalance": "most frequent label over rarest, test",
    "test_keys_seen": "test targets whose words are a target in train",
    "test_keys_decided": "test targets whose words have one label only in train",
    "test_labels_unseen": "test targets with a label that train lacks",
    "test_classes_unseen": "labels of test that train lacks",
}
_SHARES = {"test_keys_seen", "test_keys_decided", "test_labels_unseen"}
_SHARED = {
    "documents_by_id": "documents of one id",
    "documents_by_text": "documents of one text",
    "sentences": "sentences, word for word",
    "sentence_words": "words in these sentences",
    "ngram_words": "words in a shared n-gram",
    "form_types": "different forms",
    "form_tokens": "words of these forms",
    "lemma_types": "different lemmas",
    "lemma_tokens": "words of these lemmas",
}
_COUNTED = {"documents_by_id", "documents_by_text"}


def audit(records: Sequence[Record]) -> Markup:
    """The section; it says so where nothing was audited."""
    found = list(_tables(records))
    if not found:
        found = [tag("p", "These records hold no audit; `probe data audit` makes one of a corpus.")]
    return section("audit", "Audit of the data", *found)


def _tables(records: Sequence[Record]) -> Iterable[Markup]:
    targets = {
        (record.key.task, record.key.data, record.key.data_hash): facts
        for record in records
        if isinstance(facts := record.facts.get("audit"), dict)
    }
    if targets:
        names = [name for name in _TARGETS if any(name in facts for facts in targets.values())]
        yield table(
            "How far targets can be told from their words alone",
            ["", *(f"{task}, {data}" for task, data, _ in targets)],
            (
                [_TARGETS[name], *(_number(name in _SHARES, f.get(name)) for f in targets.values())]
                for name in names
            ),
        )
    texts = {
        canonical_json(facts): facts
        for record in records
        if isinstance(facts := record.facts.get("text_audit"), dict)
    }
    for facts in texts.values():
        yield _of_text(facts)


def _of_text(facts: Mapping[str, Any]) -> Markup:
    shared = [pair for pair in facts.get("shared", ()) if isinstance(pair, dict)]
    rows = [
        [what, *(_number(name not in _COUNTED, pair.get(name)) for pair in shared)]
        for name, what in _SHARED.items()
    ]
    return table(
        f"What the splits of {facts.get('corpus')} share (split: {facts.get('split')}; "
        f"n-grams of {facts.get('ngram')} words)",
        ["", *(f"{pair.get('held_out')} in {pair.get('known')}" for pair in shared)],
        rows,
    )


def _number(share: bool, value: object) -> str:
    """In percent, where what is there is never shown as nothing; a count; or bits."""
    if not isinstance(value, int | float):
        return MISSING
    if share:
        return "<0.01%" if 0 < value < 5e-5 else f"{100 * value:.2f}%"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
