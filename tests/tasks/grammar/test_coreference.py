"""Chains are coherent, and neither string match nor the nearest candidate resolves them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any


def _words(document: Any, mention: Any) -> list[Any]:
    return list(document.rows[mention.start : mention.end + 1])


def _text(document: Any, mention: Any) -> str:
    return " ".join(row.form.lower() for row in _words(document, mention))


def _heads(document: Any, mention: Any) -> list[Any]:
    return [document.rows[mention.start + offset - 1] for offset in mention.minspan]


def _pronoun(document: Any, mention: Any) -> Any | None:
    row = document.rows[mention.start]
    return row if mention.start == mention.end and row.feature("PronType") == "Prs" else None


def _chains(document: Any) -> dict[int, list[Any]]:
    chains: dict[int, list[Any]] = defaultdict(list)
    for mention in document.mentions:
        chains[mention.entity].append(mention)
    return chains


def _number(document: Any, mention: Any) -> str:
    row = document.rows[mention.start + mention.minspan[0] - 1]
    heads = _heads(document, mention)
    names = all(head.upos == "PROPN" for head in heads)
    coordinated = any(head.deprel == "conj" for head in heads[1:])
    if coordinated and not (names and all(h.deprel == "flat" for h in heads[1:])):
        return "Plur"
    if row.upos == "NUM":
        return "Sing" if row.lemma == "one" else "Plur"
    return str(row.feature("Number"))


def test_numbering_status_and_link(documents: list[Any]) -> None:
    for document in documents:
        seen: Counter[int] = Counter()
        totals = Counter(mention.entity for mention in document.mentions)
        for mention in document.mentions:
            if not seen[mention.entity]:
                assert mention.entity == len(seen) + 1
            assert mention.status == ("giv" if seen[mention.entity] else "new")
            seen[mention.entity] += 1
            alone = totals[mention.entity] == 1
            assert (mention.link == "sgl") == alone
            if not alone:
                assert (mention.link == "ana") == (_pronoun(document, mention) is not None)


def test_chains_keep_number_gender_and_type(documents: list[Any]) -> None:
    for document in documents:
        for chain in _chains(document).values():
            assert len({mention.etype for mention in chain}) == 1
            numbers = {_number(document, mention) for mention in chain}
            assert len(numbers) == 1, [_text(document, mention) for mention in chain]
            genders = {
                word.feature("Gender")
                for mention in chain
                if (word := _pronoun(document, mention)) is not None
            } - {""}
            assert len(genders) <= 1, [_text(document, mention) for mention in chain]
            male = {"man", "boy", "brother", "father", "uncle", "grandfather", "nephew", "husband"}
            female = {"woman", "girl", "sister", "mother", "aunt", "grandmother", "niece", "wife"}
            lemmas = {_heads(document, mention)[0].lemma for mention in chain}
            assert not (lemmas & male and lemmas & female)
            if genders == {"Masc"}:
                assert not lemmas & female
            if genders == {"Fem"}:
                assert not lemmas & male


def test_third_person_pronouns_are_always_mentions(documents: list[Any]) -> None:
    for document in documents:
        single = {m.start for m in document.mentions if m.start == m.end}
        for index, row in enumerate(document.rows):
            if row.feature("PronType") == "Prs" and row.deprel != "expl":
                assert index in single, row


def test_mention_heads_lie_inside(documents: list[Any]) -> None:
    for document in documents:
        for mention in document.mentions:
            assert 1 <= min(mention.minspan) <= max(mention.minspan)
            assert mention.start + max(mention.minspan) - 1 <= mention.end


def test_exact_string_match_does_not_solve_coreference(documents: list[Any]) -> None:
    both = only_string = only_gold = 0
    for document in documents:
        texts = [_text(document, mention) for mention in document.mentions]
        for later, mention in enumerate(document.mentions):
            for earlier in range(later):
                gold = document.mentions[earlier].entity == mention.entity
                match = texts[earlier] == texts[later]
                both += gold and match
                only_string += match and not gold
                only_gold += gold and not match
    precision, recall = both / (both + only_string), both / (both + only_gold)
    assert precision < 0.92
    assert 2 * precision * recall / (precision + recall) < 0.5


def test_nearest_gender_match_does_not_solve_pronouns(documents: list[Any]) -> None:
    """Even with the true gender of every chain the nearest candidate is often wrong."""
    right = total = 0
    for document in documents:
        gender = {
            mention.entity: word.feature("Gender")
            for mention in document.mentions
            if (word := _pronoun(document, mention)) is not None and word.feature("Gender")
        }
        for index, mention in enumerate(document.mentions):
            word = _pronoun(document, mention)
            if word is None or not word.feature("Gender") or mention.status == "new":
                continue
            total += 1
            for candidate in reversed(document.mentions[:index]):
                if candidate.end >= mention.start or _number(document, candidate) != "Sing":
                    continue
                known = gender.get(candidate.entity)
                person = candidate.etype == "person"
                fits = person != (word.feature("Gender") == "Neut")
                if (known == word.feature("Gender")) if known else fits:
                    right += candidate.entity == mention.entity
                    break
    assert total > 500
    assert 0.6 < right / total < 0.85


def test_distractors_share_names_and_nouns(documents: list[Any]) -> None:
    shared_noun = shared_surname = twice_introduced = 0
    for document in documents:
        by_noun: dict[str, set[int]] = defaultdict(set)
        by_surname: dict[str, set[int]] = defaultdict(set)
        introduced: dict[str, set[int]] = defaultdict(set)
        for mention in document.mentions:
            heads = _heads(document, mention)
            if mention.etype in ("person", "animal") and heads[0].upos == "NOUN":
                by_noun[heads[0].lemma].add(mention.entity)
            if len(heads) == 2 and heads[1].deprel == "flat":
                by_surname[heads[1].form].add(mention.entity)
            introduced[_text(document, mention)].add(mention.entity)
        shared_noun += any(len(found) > 1 for found in by_noun.values())
        shared_surname += any(len(found) > 1 for found in by_surname.values())
        twice_introduced += any(len(found) > 1 for text, found in introduced.items() if " " in text)
    assert shared_noun > 60
    assert shared_surname > 4
    assert twice_introduced > 15
