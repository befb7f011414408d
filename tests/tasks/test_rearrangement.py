"""Sentences in another order of words, and the two tasks on them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import AnnotatedDocument, Corpus, bare
from layerwise.tasks.bigram_shift import BigramShift
from layerwise.tasks.conllu import ConlluFile, read_conllu
from layerwise.tasks.coordination_inversion import CoordinationInversion
from layerwise.tasks.preparation import prepare
from layerwise.tasks.rearrangement import rearranged

Write = Callable[..., Path]
Read = Callable[[str], ConlluFile]

FORMS = st.lists(st.sampled_from(["a", "Bob", "don", "t", "5", ",", ".", "‘", "é"]), min_size=1)


@given(FORMS, st.randoms(use_true_random=False))
def test_words_move_and_blanks_stay(forms: list[str], rng: random.Random) -> None:
    spaces = [rng.random() < 0.7 for _ in forms]
    sentence = Sentence.from_words(forms, spaces)
    cuts = [0, *sorted(rng.sample(range(1, len(forms)), rng.randrange(len(forms)))), len(forms)]
    spans = [Span(*each) for each in pairwise(cuts)]
    order = rng.sample(spans, len(spans))
    moved = rearranged(sentence, order)
    assert moved.words == tuple(w for span in order for w in forms[slice(*span)])
    # Built by hand: within a span the blanks go with the words, between spans they stay.
    inner = {span: [spaces[i] for i in range(span.start, span.end - 1)] for span in spans}
    between = [spaces[span.end - 1] for span in spans]
    flags = [
        flag for span, last in zip(order, between, strict=True) for flag in (*inner[span], last)
    ]
    assert moved == Sentence.from_words(moved.words, flags)
    assert rearranged(sentence, spans) == sentence


def test_a_contraction_moves_as_a_whole() -> None:
    shared = Sentence(("de", "el", "sol"), "¡del sol!", (Span(1, 4), Span(1, 4), Span(5, 8)))
    moved = rearranged(shared, [Span(2, 3), Span(0, 2)])
    assert moved == Sentence(("sol", "de", "el"), "¡sol del!", (Span(1, 4), Span(5, 8), Span(5, 8)))


def document(*sentences: Sentence, name: str = "d") -> AnnotatedDocument:
    text = Document(name, sentences)
    return AnnotatedDocument(text, tuple(map(bare, text.words)))


def sentence(text: str) -> Sentence:
    """Words at blanks and, glued, at ``_``."""
    parts = [word for token in text.split() for word in token.split("_")]
    glued = [
        i + 1 < len(token.split("_"))
        for token in text.split()
        for i in range(len(token.split("_")))
    ]
    return Sentence.from_words(parts, [not each for each in glued])


@pytest.mark.parametrize(
    ("text", "swaps"),
    [
        ("The dog sat here_.", {"The sat dog here.", "The dog here sat."}),
        # What is glued to a word would tell of the swap, and so would a capital.
        ("I do_n't like it", {"I don't it like"}),
        ("a well_-_known fact", set()),
        ("see_: (_the dog_) now", {"see: (dog the) now"}),
        ("so that That was", {"so that was That"}),
        ("one two", set()),
        ("one two three", {"one three two"}),
        (". one two three", {". one three two"}),
        ("好_天_气", set()),
    ],
)
def test_the_pairs_that_may_be_swapped(text: str, swaps: set[str]) -> None:
    ((*found,),) = BigramShift().rearrangements(document(sentence(text)))
    assert {each().text for each in found} == swaps


@settings(max_examples=60, deadline=None)
@given(st.lists(FORMS, min_size=1, max_size=4))
def test_the_rest_is_as_it_was(texts: list[list[str]]) -> None:
    original = document(*map(Sentence.from_words, texts))
    (rewritten,) = BigramShift().rewritten(original)
    targets = {t.span1: t.label for t in BigramShift().targets(rewritten)}
    spans = [Span(*each) for each in pairwise(original.document.sentence_starts)]
    assert rewritten.document.sentence_starts == original.document.sentence_starts
    assert [w.form for w in rewritten.words] == list(rewritten.document.words)
    for span, before, after in zip(
        spans, original.document.sentences, rewritten.document.sentences, strict=True
    ):
        differ = [
            i for i, (a, b) in enumerate(zip(before.words, after.words, strict=True)) if a != b
        ]
        if targets.get(span) == "shifted":
            first, second = differ
            assert second == first + 1
            assert after.words[first] == before.words[second]
            assert after.words[second] == before.words[first]
        else:
            assert before == after
    assert list(BigramShift().targets(original)) == []


def test_the_same_words_fare_the_same_everywhere() -> None:
    texts = [f"so {a} {b} {c}" for a in "pqrs" for b in "tuvw" for c in "xyz"]
    (together,) = BigramShift().rewritten(document(*map(sentence, texts)))
    alone = [next(iter(BigramShift().rewritten(document(sentence(t), name="x")))) for t in texts]
    assert [s.text for s in together.document.sentences] == [
        d.document.sentences[0].text for d in alone
    ]
    labels = Counter(t.label for t in BigramShift().targets(together))
    assert labels.total() == 48 and 12 < labels["shifted"] < 36
    swapped = [
        s.text for s, t in zip(together.document.sentences, texts, strict=True) if s.text != t
    ]
    places = Counter(text.startswith("so " + t[5]) for text, t in zip(swapped, texts, strict=False))
    assert len(places) == 2  # both pairs are taken


COORDINATED = """
# newdoc id = d
1 We we PRON _ _ 2 nsubj _ _
2 sang sing VERB _ _ 0 root _ SpaceAfter=No
3 , , PUNCT _ _ 6 punct _ _
4 but but CCONJ _ _ 6 cc _ _
5 Ann Ann PROPN _ _ 6 nsubj _ _
6 slept sleep VERB _ _ 2 conj _ SpaceAfter=No
7 . . PUNCT _ _ 2 punct _ _
"""


@pytest.mark.parametrize(
    ("old", "new", "inverted"),
    [
        ("", "", "Ann slept, but we sang."),
        ("1 We we PRON", "1 Bob Bob PROPN", "Ann slept, but Bob sang."),
        ("5 Ann Ann PROPN", "5 they they PRON", "They slept, but we sang."),
        ("1 We we PRON", "1 WE we PRON", "Ann slept, but WE sang."),
        ("6 nsubj", "6 obj", None),  # no subject of its own
        ("6 cc", "6 advmod", None),  # not joined
        ("2 conj", "2 parataxis", None),
        ("3 , ,", '3 " "', None),
    ],
)
def test_clauses_change_places(conllu: Write, old: str, new: str, inverted: str | None) -> None:
    assert old in COORDINATED
    text = COORDINATED.replace(old, new) if old else COORDINATED
    (annotated,) = read_conllu(conllu(text)).documents
    ((*found,),) = CoordinationInversion().rearrangements(annotated)
    assert [each().text for each in found] == ([inverted] if inverted else [])


@pytest.mark.parametrize(
    ("task", "file", "fewest"),
    [
        (BigramShift, "gum_open/gum_open-dev", 300),
        (CoordinationInversion, "ewt/en_ewt-ud-dev", 90),
        (BigramShift, "ud/UD_Turkish-IMST/tr_imst-ud-dev", 800),
    ],
)
def test_real_data(read_shared: Read, task, file: str, fewest: int) -> None:  # type: ignore[no-untyped-def]
    documents = read_shared(f"{file}.conllu.gz").documents
    labels: Counter[str] = Counter()
    for original in documents:
        (rewritten,) = task().rewritten(original)
        assert rewritten.document.id == original.document.id
        of_sentence = {t.span1.start: t.label for t in task().targets(rewritten)}
        labels.update(of_sentence.values())
        for start, before, after in zip(
            original.document.sentence_starts,
            original.document.sentences,
            rewritten.document.sentences,
            strict=False,
        ):
            changed = of_sentence.get(start) == task.changed
            assert (before.words != after.words) == changed
            assert Counter(before.text.lower()) == Counter(after.text.lower())
            cut = [after.text[a:b] for a, b in after.offsets]
            kept = [before.text[a:b] for a, b in before.offsets]
            assert Counter(map(str.lower, cut)) == Counter(map(str.lower, kept))
            # No sentence that began with a capital begins with a small letter now.
            assert not (before.text[0].isupper() and after.text[0].islower())
    assert labels.total() >= fewest
    # Half of them, within four standard deviations.
    assert abs(labels[task.changed] - labels.total() / 2) < 2 * labels.total() ** 0.5
    splits = {"train": documents[::3], "dev": documents[1::3], "test": documents[2::3]}
    data = prepare(task(), Corpus("c", splits))
    assert task.available(Corpus("c", splits)) == [task.name]
    assert set(data.facts["counts"]["train"]["labels"]) == {task.changed, "original"}


def test_nothing_to_rearrange_is_an_error_that_says_so() -> None:
    splits = dict.fromkeys(("train", "dev", "test"), (document(sentence("one two")),))
    with pytest.raises(DataError, match="nothing to label"):
        prepare(BigramShift(), Corpus("c", splits))
