"""Splits that are switched: what goes where, and that no annotation moves on the way."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import SPLITS, Document, Sentence, Span
from layerwise.tasks.base import (
    NO_HEAD,
    AnnotatedDocument,
    Constituent,
    Corpus,
    Edge,
    Mention,
    bare,
)
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.splits import resplit


def plain(name: str, *sentences: str) -> AnnotatedDocument:
    parts = tuple(Sentence.from_words(sentence.split()) for sentence in sentences)
    return AnnotatedDocument(
        Document(name, parts), tuple(bare(word) for part in parts for word in part.words)
    )


def corpus(documents: Sequence[AnnotatedDocument], **facts: object) -> Corpus:
    """The documents in three splits, in turn."""
    return Corpus("c", {name: tuple(documents[i::3]) for i, name in enumerate(SPLITS)}, facts)


def everything(of: Corpus) -> Iterator[tuple[str, AnnotatedDocument]]:
    return ((name, document) for name in SPLITS for document in of.splits[name])


def ids(of: Corpus) -> dict[str, list[str]]:
    return {name: [d.document.id for d in of.splits[name]] for name in SPLITS}


# One sentence each, enough that no split is empty.
FILLERS = [plain(f"filler {i}", f"filler word {i}") for i in range(30)]


def test_given_is_as_it_is() -> None:
    given_ = corpus(FILLERS, split="one file a split")
    assert resplit(given_, "given") is given_


def test_by_document_in_the_order_of_the_sha256() -> None:
    documents = [plain(f"é{i}", "a b") for i in range(47)]
    split = resplit(corpus(documents, split="x", licence="free"), "document")
    order = sorted(
        (d.document.id for d in documents), key=lambda i: hashlib.sha256(i.encode()).digest()
    )
    found = {name: set(of) for name, of in ids(split).items()}
    assert found == {"test": {*order[:5]}, "dev": {*order[5:10]}, "train": {*order[10:]}}
    assert sum(map(len, split.splits.values())) == 47
    assert split.facts["licence"] == "free" and "split by document" in split.facts["split"]


@pytest.mark.parametrize("by", ["document", "sentence"])
def test_neither_the_order_nor_the_old_splits_tell(by: str) -> None:
    documents = [plain(f"d{i}", f"a {i}", f"b {i}", "same") for i in range(40)]
    shuffled = documents[::-1]
    random.Random(0).shuffle(shuffled)
    one, other = resplit(corpus(documents), by), resplit(corpus(shuffled), by)
    for name in SPLITS:
        assert set(ids(one)[name]) == set(ids(other)[name])


def test_by_sentence_about_one_in_ten_is_held_out() -> None:
    split = resplit(corpus([plain("d", *(f"s {i}" for i in range(3000)))]), "sentence")
    sizes = [len(split.splits[name]) for name in SPLITS]
    expected = (2400, 300, 300)
    # chi2(2), p = .001
    assert sum((n - e) ** 2 / e for n, e in zip(sizes, expected, strict=True)) < 13.8


def test_equal_sentences_stay_together() -> None:
    documents = [
        plain(f"d{i}", f"only {i}", "Thank you !", f"THANK  you! {i % 5}") for i in range(30)
    ]
    documents += [plain("e", "thank YOU!")]
    split = resplit(corpus(documents), "sentence")
    owners: dict[str, set[str]] = {}
    for name, one in everything(split):
        owners.setdefault("".join(one.document.words).lower(), set()).add(name)
    assert all(len(names) == 1 for names in owners.values())
    assert len(owners) == 30 + 5 + 1


@st.composite
def annotated(draw: st.DrawFn) -> AnnotatedDocument:
    """A document in which every word has a form of its own."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    rng = random.Random(draw(st.integers(0, 1 << 30)))
    sentences, words, mentions, phrases, edges = [], [], [], [], []
    for number, length in enumerate(lengths):
        start = len(words)

        def span(first: int = start, size: int = length) -> Span:
            a = rng.randrange(size)
            return Span(first + a, first + rng.randint(a + 1, size))

        forms = [f"w{number}x{i}" for i in range(length)]
        sentences.append(Sentence.from_words(forms))
        root = rng.randrange(length)
        for i, form in enumerate(forms):
            head = NO_HEAD if i == root else start + rng.randrange(length)
            words.append(bare(form)._replace(head=head, lemma=form.upper()))
        mentions += [Mention(span(), f"e{rng.randrange(3)}", "") for _ in range(rng.randrange(4))]
        phrases += [Constituent(span(), rng.choice("AB")) for _ in range(rng.randrange(4))]
        edges += [
            Edge("t", span(), rng.choice([None, span()]), ("l",)) for _ in range(rng.randrange(4))
        ]
    return AnnotatedDocument(
        Document("d#1", tuple(sentences)),
        tuple(words),
        rng.choice([None, tuple(mentions)]),
        rng.choice([None, tuple(phrases)]),
        tuple(edges),
        {"gender": "f"},
    )


def told(documents: Sequence[AnnotatedDocument]) -> Counter[tuple[object, ...]]:
    """All annotation, with the forms of words in place of their positions."""
    facts: list[tuple[object, ...]] = []
    for one in documents:
        forms = one.document.words

        def of(span: Span | None, forms: tuple[str, ...] = forms) -> object:
            return span and forms[slice(*span)]

        facts += [(w.form, w.lemma, "" if w.head == NO_HEAD else forms[w.head]) for w in one.words]
        facts += [(of(m.span), m.entity) for m in one.mentions or ()]
        facts += [(of(c.span), c.label) for c in one.constituents or ()]
        facts += [(e.task, of(e.span1), of(e.span2), e.labels) for e in one.edges]
    return Counter(facts)


@settings(max_examples=150, deadline=None)
@given(annotated())
def test_annotation_stays_at_its_words(document: AnnotatedDocument) -> None:
    split = resplit(corpus([*FILLERS, document]), "sentence")
    pieces = [one for _, one in everything(split) if one.document.id.startswith("d#1#")]
    pieces.sort(key=lambda one: int(one.document.id.rpartition("#")[2]))
    assert [p.document.id for p in pieces] == [f"d#1#{i + 1}" for i in range(len(pieces))]
    assert tuple(p.document.sentences[0] for p in pieces) == document.document.sentences
    assert told(pieces) == told([document])
    for piece in pieces:
        assert (piece.mentions is None) == (document.mentions is None)
        assert (piece.constituents is None) == (document.constituents is None)
        assert piece.attributes == {"gender": "f"}
    # The order of constituents, preorder, is kept.
    labels = [c.label for p in pieces for c in p.constituents or ()]
    assert labels == [c.label for c in document.constituents or ()]
    homes: dict[str, set[str]] = {}
    for mention in document.mentions or ():
        form = document.words[mention.span.start].form
        homes.setdefault(mention.entity, set()).add(form.partition("x")[0])
    torn = sum(len(sentences) > 1 for sentences in homes.values())
    assert split.facts["entities_in_several_sentences"] == torn


def test_every_field_of_a_document_is_thought_of() -> None:
    known = {"document", "words", "mentions", "constituents", "edges", "attributes"}
    assert {field.name for field in fields(AnnotatedDocument)} == known


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"mentions": (Mention(Span(1, 3), "e", ""),)}, "a mention reaches"),
        ({"constituents": (Constituent(Span(0, 4), "S"),)}, "a constituent reaches"),
        ({"edges": (Edge("t", Span(0, 1), Span(3, 4), ("l",)),)}, "a labelled pair reaches"),
        ({"words": tuple(bare(w)._replace(head=3) for w in "abcd")}, "a dependency reaches"),
    ],
)
def test_what_crosses_sentences_cannot_be_cut(what: dict[str, object], message: str) -> None:
    whole = plain("d", "a b", "c d")
    parts = {"document": whole.document, "words": whole.words, **what}
    crossing = corpus([*FILLERS, AnnotatedDocument(**parts)])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=f"document d: {message} from sentence 1 to sentence 2"):
        resplit(crossing, "sentence")
    assert resplit(crossing, "document").splits["train"]


def test_wrong_rules_and_too_little_text() -> None:
    with pytest.raises(UsageError, match=r"--split: not a rule .* did you mean sentence"):
        resplit(corpus(FILLERS), "sentences")
    for by in ("document", "sentence"):
        with pytest.raises(DataError, match="too small to split: nothing is left for"):
            resplit(corpus(FILLERS[:2]), by)
        with pytest.raises(DataError, match="2 documents have the id 'filler 1'"):
            resplit(corpus([*FILLERS, FILLERS[1]]), by)


def test_texts_in_two_splits_are_counted_anew() -> None:
    documents = [plain(f"d{i}", "the same") for i in range(30)]
    split = resplit(corpus(documents, texts_in_two_splits=99), "document")
    assert split.facts["texts_in_two_splits"] == 6
    by_sentence = resplit(corpus([*FILLERS, *documents], texts_in_two_splits=99), "sentence")
    assert by_sentence.facts["texts_in_two_splits"] == 0


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    splits = {name: read_shared(f"gum_open/gum_open-{name}.conllu.gz").documents for name in SPLITS}
    whole = Corpus("gum_open", splits)
    by_document = resplit(whole, "document")
    assert [len(by_document.splits[name]) for name in SPLITS] == [39, 5, 5]
    by_sentence = resplit(whole, "sentence")
    assert sum(map(len, by_sentence.splits.values())) == 1247 + 341 + 383
    for again in (by_document, by_sentence):
        documents = [d for _, d in everything(again)]
        assert sum(len(d.words) for d in documents) == 26579 + 8383 + 7996
        assert sum(len(d.mentions or ()) for d in documents) == 12440
    # Coreferent mentions by sentence, counted otherwise.
    torn = 0
    for _, document in everything(whole):
        places: dict[str, set[int]] = {}
        for mention in document.mentions or ():
            starts = document.document.sentence_starts
            number = sum(start <= mention.span.start for start in starts)
            places.setdefault(mention.entity, set()).add(number)
        torn += sum(len(numbers) > 1 for numbers in places.values())
    assert by_sentence.facts["entities_in_several_sentences"] == torn > 1000
