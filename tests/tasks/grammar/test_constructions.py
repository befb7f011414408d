"""The treebank has what it promises: sizes, lengths and every construction."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest


def test_sizes_and_lengths(corpus: dict[str, list[Any]]) -> None:
    counts = {s: sum(len(d.sentences) for d in docs) for s, docs in corpus.items()}
    assert counts["train"] >= 1400 and counts["dev"] >= 280 and counts["test"] >= 280
    lengths = sorted(len(s.rows) for d in corpus["train"] for s in d.sentences)
    assert 11 <= sum(lengths) / len(lengths) <= 14
    assert lengths[0] <= 3 and lengths[-1] >= 33
    assert len({row.lemma for d in corpus["train"] for row in d.rows}) > 800


def test_splits_share_almost_nothing(corpus: dict[str, list[Any]]) -> None:
    whole = [" ".join(s.comments["text"] for s in d.sentences)
             for docs in corpus.values() for d in docs]  # fmt: skip
    assert len(set(whole)) == len(whole)

    def long(split: str) -> list[str]:
        return [s.comments["text"] for d in corpus[split] for s in d.sentences if len(s.rows) > 4]

    train = set(long("train"))
    for split in ("dev", "test"):
        texts = long(split)
        assert sum(text in train for text in texts) / len(texts) < 0.02


def _has(sentence: Any, **wanted: str) -> bool:
    return any(all(getattr(row, k) == v for k, v in wanted.items()) for row in sentence.rows)


def _rel(*names: str) -> Callable[[Any], bool]:
    return lambda s: any(row.deprel in names for row in s.rows)


def _text(pattern: str) -> Callable[[Any], bool]:
    return lambda s: re.search(pattern, s.comments["text"]) is not None


def _tree(pattern: str) -> Callable[[Any], bool]:
    return lambda s: re.search(pattern, s.comments["tree"]) is not None


def _verb_with(deprel: str) -> Callable[[Any], bool]:
    """A word with a dependent of the relation whose own UPOS is that of a verb."""
    return lambda s: any(
        row.deprel == deprel and s.rows[row.head - 1].upos == "VERB" for row in s.rows
    )


def _feats(pattern: str) -> Callable[[Any], bool]:
    return lambda s: any(re.search(pattern, row.feats) for row in s.rows)


_CONSTRUCTIONS: dict[str, tuple[Callable[[Any], bool], int]] = {
    "perfect": (lambda s: any(r.lemma == "have" and r.deprel == "aux" for r in s.rows), 100),
    "progressive": (lambda s: any(
        r.lemma == "be" and r.deprel == "aux" for r in s.rows), 60),
    "modal": (lambda s: _has(s, xpos="MD"), 120),
    "future": (lambda s: _has(s, lemma="will", upos="AUX"), 20),
    "first person": (_feats("Person=1"), 120),
    "second person": (_feats("Person=2"), 120),
    "comparative adjective": (lambda s: _has(s, xpos="JJR") or bool(
        re.search(r"\(ADJP \(ADJP \(RBR more", s.comments["tree"])), 25),
    "superlative": (lambda s: _has(s, xpos="JJS") or _has(s, xpos="RBS"), 10),
    "comparative adverb": (lambda s: any(
        r.xpos == "RBR" and r.lemma != "more" for r in s.rows), 4),
    "relative clause": (_rel("acl:relcl"), 100),
    "subject relative": (lambda s: any(
        r.deprel == "nsubj" and r.feature("PronType") == "Rel" for r in s.rows), 40),
    "object relative": (lambda s: any(
        r.deprel == "obj" and r.feature("PronType") == "Rel" for r in s.rows), 30),
    "zero relative": (_tree(r"\(NP \(NP [^()]*.{3,60}?\)\) \(SBAR \(S \(NP"), 20),
    "whose": (lambda s: _has(s, xpos="WP$"), 3),
    "reduced relative": (_rel("acl"), 100),
    "noun attachment": (_rel("nmod"), 150),
    "verb attachment": (_rel("obl"), 300),
    "with inside a noun phrase": (lambda s: any(
        r.form == "with" and s.rows[r.head - 1].deprel == "nmod" for r in s.rows), 10),
    "with inside a verb phrase": (lambda s: any(
        r.form == "with" and s.rows[r.head - 1].deprel == "obl" for r in s.rows), 30),
    "noun coordination": (_tree(r"\(NP \(NP .*\(CC and\) \(NP"), 60),
    "verb phrase coordination": (_tree(r"\(VP \(VP .*\(CC (and|but|or)\) \(VP"), 60),
    "sentence coordination": (_tree(r", ,\) \(CC (and|but|or)\) \("), 60),
    "adjective coordination": (_tree(r"\(ADJP \(ADJP .*\(CC and\) \(ADJP"), 5),
    "passive": (_rel("nsubj:pass"), 100),
    "by-agent": (_rel("obl:agent"), 80),
    "agentless passive": (lambda s: _rel("nsubj:pass")(s) and not _rel("obl:agent")(s), 30),
    "yes/no question": (lambda s: "(SQ " in s.comments["tree"]
                        and "(SBARQ" not in s.comments["tree"], 40),
    "wh-question": (_tree(r"\(SBARQ"), 40),
    "contracted negation": (lambda s: _has(s, form="n't"), 70),
    "full negation": (lambda s: _has(s, form="not"), 60),
    "because": (_text(r"(?i)\bbecause\b"), 15),
    "when": (_tree(r"\(SBAR \(WHADVP \((WRB) [Ww]hen"), 15),
    "if": (lambda s: _has(s, xpos="IN", upos="SCONJ", lemma="if"), 10),
    "that-clause": (_tree(r"\(SBAR \(IN that\)"), 40),
    "infinitive complement": (lambda s: _rel("xcomp")(s) and _has(s, xpos="TO"), 80),
    "purpose": (lambda s: any(
        r.deprel == "advcl" and r.xpos == "VB" for r in s.rows), 20),
    "gerund": (_feats("VerbForm=Ger"), 25),
    "ditransitive": (_rel("iobj"), 60),
    "prepositional dative": (_tree(r"\(VB[DZP]? (gave|give|sent|send|showed|offered|lent)"), 30),
    "particle": (_rel("compound:prt"), 100),
    "numeral": (_rel("nummod"), 60),
    "possessive clitic": (lambda s: _has(s, xpos="POS"), 60),
    "possessive pronoun": (lambda s: _has(s, xpos="PRP$"), 150),
    "full name": (_rel("flat"), 100),
    "title": (_rel("nmod:desc"), 30),
    "adverb": (lambda s: _has(s, upos="ADV"), 300),
    "existential there": (lambda s: _has(s, xpos="EX"), 40),
    "imperative": (_feats("Mood=Imp"), 60),
    "apposition": (_rel("appos"), 60),
    "vocative": (_rel("vocative"), 15),
    "expletive it": (lambda s: any(r.deprel == "expl" and r.lemma == "it" for r in s.rows), 30),
    "reflexive": (_feats("Reflex=Yes"), 10),
    "copula": (_rel("cop"), 200),
    "quotation": (_rel("ccomp"), 200),
}  # fmt: skip


@pytest.mark.parametrize("name", list(_CONSTRUCTIONS))
def test_each_construction_occurs(sentences: list[Any], name: str) -> None:
    test, least = _CONSTRUCTIONS[name]
    found = sum(bool(test(sentence)) for sentence in sentences)
    assert found >= least, found


def test_multiword_rows(sentences: list[Any]) -> None:
    forms = Counter(form for s in sentences for _, _, form, _ in s.multiwords)
    assert any(form.endswith("n't") for form in forms)
    assert any(form in forms for form in ("can't", "Can't")) and "didn't" in forms
    assert sum(n for form, n in forms.items() if form.endswith("'s")) > 60


def test_attachment_is_ambiguous(sentences: list[Any]) -> None:
    """The same prepositions attach to nouns and to verbs."""
    counts: dict[str, Counter[str]] = {}
    for sentence in sentences:
        for row in sentence.rows:
            if row.xpos == "IN" and row.deprel == "case":
                relation = sentence.rows[row.head - 1].deprel
                counts.setdefault(row.lemma, Counter())[relation] += 1
    for form in ("in", "by", "near", "from", "with", "behind"):
        assert counts[form]["nmod"] >= 5 and counts[form]["obl"] >= 5, (form, counts[form])
