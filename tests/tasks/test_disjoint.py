"""Targets whose words no other split has."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import SPLITS, Document, Sentence, Span, Target
from layerwise.tasks.aspects import Located
from layerwise.tasks.base import AnnotatedDocument, Corpus, bare
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.disjoint import disjoint
from layerwise.tasks.morphology import PartOfSpeech

EMPTY = Corpus("c", {})


def located(words: Sequence[str], lemmas: Sequence[str] | None = None) -> list[Located]:
    """A target for each word, in one document."""
    lemmas = lemmas or [""] * len(words)
    document = AnnotatedDocument(
        Document("d", (Sentence.from_words(words),)),
        tuple(bare(w)._replace(lemma=lemma) for w, lemma in zip(words, lemmas, strict=True)),
    )
    return [Located(document, Target("d", Span(i, i + 1), None, "x")) for i in range(len(words))]


def owner(key: str) -> str:
    """The split of a key, by arithmetic on the digest's last byte pairs instead of Python's int."""
    rest = 0
    for byte in hashlib.sha256(key.encode()).digest():
        rest = (rest * 256 + byte) % 10
    return {0: "test", 1: "dev"}.get(rest, "train")


def form(each: Located) -> str:
    return " ".join(each.document.document.words[slice(*each.target.span1)]).lower()


# Words of which every split keeps some.
SURE = [f"sure{i}" for i in range(60)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.text("abÄß1", min_size=1, max_size=3)), min_size=3, max_size=3))
def test_no_form_is_in_two_splits_and_nothing_is_lost(words: list[list[str]]) -> None:
    targets = {name: located(w + SURE) for name, w in zip(SPLITS, words, strict=True)}
    found = disjoint(EMPTY, targets, "type")
    keys = {name: {form(each) for each in found.kept[name]} for name in SPLITS}
    for one in SPLITS:
        for other in SPLITS:
            assert one == other or not keys[one] & keys[other]
        # As many as belong there, in order.
        assert list(found.kept[one]) == [t for t in targets[one] if owner(form(t)) == one]
        kept, dropped = found.facts["kept"][one], found.facts["dropped"][one]
        assert kept == len(found.kept[one]) and kept + dropped == len(targets[one])


def test_lemmas() -> None:
    words, lemmas = [f"w{i}" for i in range(90)], [f"L{i // 3}" for i in range(90)]
    lemmas[5] = ""
    found = disjoint(EMPTY, dict.fromkeys(SPLITS, located(words, lemmas)), "lemma")
    for name in SPLITS:
        kept = [each.document.words[each.target.span1.start].lemma for each in found.kept[name]]
        assert kept == [lemma for lemma in lemmas if lemma and owner(lemma.lower()) == name]
        assert found.facts["without_lemma"][name] == 1
        assert found.facts["dropped"][name] == 89 - len(kept)


def test_the_key_of_a_span_is_all_its_words() -> None:
    words = SURE * 2
    document = located(words)[0].document
    targets = [
        Located(document, Target("d", Span(i, i + 2), Span(0, 1), "x"))
        for i in range(len(words) - 1)
    ]
    found = disjoint(EMPTY, dict.fromkeys(SPLITS, targets), "type")
    for name in SPLITS:
        assert list(found.kept[name]) == [t for t in targets if owner(form(t)) == name]


def test_a_span_needs_the_lemmas_of_all_its_words() -> None:
    document = located(SURE, [*SURE[:-1], ""])[0].document
    targets = [Located(document, Target("d", Span(i, i + 2), None, "x")) for i in range(59)]
    found = disjoint(EMPTY, dict.fromkeys(SPLITS, targets), "lemma")
    assert found.facts["without_lemma"] == dict.fromkeys(SPLITS, 1)


def test_errors() -> None:
    targets = dict.fromkeys(SPLITS, located(SURE))
    with pytest.raises(UsageError, match="--disjoint: not a key: 'lema'; did you mean lemma"):
        disjoint(EMPTY, targets, "lema")
    with pytest.raises(DataError, match="--disjoint lemma --data c: the data has no lemmas"):
        disjoint(EMPTY, targets, "lemma")
    with pytest.raises(DataError, match="nothing is left of dev and test"):
        disjoint(
            EMPTY, dict.fromkeys(SPLITS, located([w for w in SURE if owner(w) == "train"])), "type"
        )


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    targets = {}
    for name in SPLITS:
        documents = read_shared(f"gum_open/gum_open-{name}.conllu.gz").documents
        targets[name] = [Located(d, t) for d in documents for t in PartOfSpeech().targets(d)]
    for by in ("type", "lemma"):
        found = disjoint(EMPTY, targets, by)
        keys = []
        for name in SPLITS:
            words = [each.document.words[each.target.span1.start] for each in found.kept[name]]
            keys.append({(w.form if by == "type" else w.lemma).lower() for w in words})
            documents = {each.target.document for each in found.kept[name]}
            assert documents <= {each.target.document for each in targets[name]}
        assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])
        assert all(len(each) > 100 for each in keys)
