"""Named entities by span and by word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import AnnotatedDocument, Corpus, Edge, Mention, bare
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.named_entities import EntityTags, EntityType, ner
from layerwise.tasks.preparation import prepare


def document(
    edges: Iterable[tuple[int, int, str]] = (),
    mentions: Iterable[tuple[int, int, str]] | None = None,
) -> AnnotatedDocument:
    text = Document("d", (Sentence.from_words("abcdef"),))
    return AnnotatedDocument(
        text,
        tuple(map(bare, text.words)),
        None if mentions is None else tuple(Mention(Span(a, b), "e", t) for a, b, t in mentions),
        edges=tuple(Edge("ner", Span(a, b), None, (t,)) for a, b, t in edges),
    )


def spans(annotated: AnnotatedDocument) -> list[tuple[int, int, str]]:
    return [(*t.span1, str(t.label)) for t in EntityType().targets(annotated)]


def tags(annotated: AnnotatedDocument) -> str:
    return " ".join(str(t.label) for t in EntityTags().targets(annotated))


def test_the_datas_entities_or_its_typed_mentions() -> None:
    both = document([(3, 5, "PER")], [(0, 1, "person")])
    assert spans(both) == [(3, 5, "PER")] and tags(both) == "O O O B-PER I-PER O"
    nested = document((), [(4, 6, "place"), (0, 3, "person"), (1, 2, "place"), (3, 4, "")])
    assert spans(nested) == [(0, 3, "person"), (1, 2, "place"), (4, 6, "place")]
    assert tags(nested) == "B-person I-person I-person O B-place I-place"


def test_one_target_a_span() -> None:
    twice = document((), [(0, 2, "place"), (0, 2, "person"), (0, 2, "place")])
    assert spans(twice) == [(0, 2, "person+place")]


def test_no_entities_no_targets() -> None:
    for none in (document(), document((), ()), document((), [(0, 1, "")])):
        assert spans(none) == [] and tags(none) == ""


def test_the_control_goes_by_the_last_word() -> None:
    annotated = document([(1, 4, "ORG")])
    (target,) = EntityType().targets(annotated)
    assert EntityType().control_key(annotated, target) == ("d",)


def test_arguments_and_what_a_corpus_offers() -> None:
    assert isinstance(ner(""), EntityType) and isinstance(ner("tags"), EntityTags)
    assert ner("tags").name == "ner:tags"
    with pytest.raises(UsageError, match="ner has no 'PER'; write ner for"):
        ner("PER")
    some = dict.fromkeys(("train", "dev", "test"), (document([(0, 1, "PER"), (2, 3, "LOC")]),))
    assert ner.available(Corpus("c", some)) == ["ner", "ner:tags"]
    one = dict.fromkeys(("train", "dev", "test"), (document([(0, 6, "PER")]),))
    assert ner.available(Corpus("c", one)) == ["ner:tags"]  # B and I, but one type
    assert ner.available(Corpus("c", {**some, "dev": (document(),)})) == []


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    documents = read_shared("gum_open/gum_open-dev.conllu.gz").documents
    types: dict[tuple[str, Span], set[str]] = {}
    for d in documents:
        for mention in d.mentions or ():
            types.setdefault((d.document.id, mention.span), set()).add(mention.entity_type)
    found = Counter(t.label for d in documents for t in EntityType().targets(d))
    assert found == Counter("+".join(sorted(each)) for each in types.values())
    assert found.total() == 2354
    splits = {"train": documents[:6], "dev": documents[6:8], "test": documents[8:]}
    data = prepare(EntityTags(), Corpus("c", splits))
    assert data.metric == "macro_f1"
    outer = 0
    for d in documents[8:]:
        held = {mention.span for mention in d.mentions or ()}
        outer += sum(
            not any(a != b and b.start <= a.start and a.end <= b.end for b in held) for a in held
        )
    begun = sum(str(t.label).startswith("B-") for t in data.splits["test"].targets)
    assert begun == outer
