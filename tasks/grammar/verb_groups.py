"""Verb groups: auxiliaries in their order, with agreement, negation and inversion."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .sampler import Sampler
from .trees import HEAD, Node, Word, leaf, phrase
from .words import Agreement, finite, modal, negation, nonfinite

#: Verbs without the progressive, which are no acts of will either.
STATIVE = frozenset(
    "be have want need know love like trust believe seem own belong hear see notice remember "
    "forget become fear miss hope mean understand find lose agree think feel please admire "
    "surprise stay enjoy fear".split()
)
_CONTRACTED = {"can": "ca", "will": "wo"}
_NO_CONTRACTION = ("may", "might", "am")


@dataclass(frozen=True)
class Verbal:
    """What a verb group expresses beside its verb."""

    tense: str = "Past"
    perfect: bool = False
    progressive: bool = False
    modal: str = ""
    negative: bool = False
    contracted: bool = False
    passive: bool = False


def choose_verbal(sampler: Sampler, tense: str, spoken: bool) -> Verbal:
    """A verb group for a main clause of a text in the given tense."""
    kinds: list[tuple[str, float]]
    if spoken:
        tense = sampler.weighted([("Pres", 1.0), ("Past", 1.4)])
        past = tense == "Past"
        kinds = [("simple", 5 if past else 2.2), ("perfect", 0.2 if past else 1.6),
                 ("progressive", 1.2), ("modal", 3.2)]  # fmt: skip
    else:
        kinds = [("simple", 7.5), ("perfect", 1.1), ("progressive", 0.9), ("modal", 0.9)]
    kind = sampler.weighted(kinds)
    past_modals = ["could", "would", "could", "might", "had"]
    present_modals = ["can", "will", "will", "may", "must", "should"]
    chosen = ""
    if kind == "modal":
        chosen = sampler.pick(past_modals[:4] if tense == "Past" else present_modals)
    return Verbal(
        tense,
        perfect=kind == "perfect" or (chosen in ("could", "might") and sampler.chance(0.1)),
        progressive=kind == "progressive",
        modal=chosen,
        negative=sampler.chance(0.17 if spoken else 0.13),
        contracted=sampler.chance(0.75 if spoken else 0.35),
    )


def fit(verbal: Verbal, verb: str) -> Verbal:
    """The same without the progressive where the verb has none."""
    return replace(verbal, progressive=False) if verb in STATIVE else verbal


def verb_chain(
    verb: str, agreement: Agreement, verbal: Verbal, copular: bool = False, inverted: bool = False
) -> list[Node]:
    """The verbs as leaves: auxiliaries, then the main verb (a copula when ``copular``)."""
    parts: list[tuple[str, str]] = []
    if verbal.modal:
        parts.append((verbal.modal, "aux"))
    if verbal.perfect:
        parts.append(("have", "aux"))
    if verbal.progressive:
        parts.append(("be", "aux"))
    if verbal.passive:
        parts.append(("be", "aux:pass"))
    if not parts and (verbal.negative or inverted) and not (copular or verb == "be"):
        parts.append(("do", "aux"))
    parts.append((verb, "cop" if copular else HEAD))
    result: list[Node] = []
    for index, (lemma, relation) in enumerate(parts):
        upos = "VERB" if relation == HEAD else "AUX"
        if index == 0 and verbal.modal:
            word = modal(lemma)
        elif index == 0:
            word = finite(lemma, verbal.tense, agreement, upos)
        else:
            word = nonfinite(lemma, _form_after(parts[index - 1], verbal), upos)
        result.append(leaf(word, relation))
    return result


def _form_after(previous: tuple[str, str], verbal: Verbal) -> str:
    lemma, relation = previous
    if relation == "aux:pass":
        return "Pass"
    if lemma == "have":
        return "Part"
    return "Ing" if lemma == "be" else "Inf"


def negation_after(first: Node, verbal: Verbal) -> tuple[Node, Node | None]:
    """The first auxiliary as it looks before the negation, and the negation."""
    if not verbal.negative or first.word is None:
        return first, None
    contracted = verbal.contracted and first.word.form not in _NO_CONTRACTION
    if contracted and first.word.form in _CONTRACTED:
        first.word = replace(first.word, form=_CONTRACTED[first.word.form])
    return first, leaf(negation(contracted), "advmod")


def verb_phrase(
    chain: list[Node], verbal: Verbal, adverb: Node | None, complements: list[Node],
    predicate: Node | None = None,
) -> Node:  # fmt: skip
    """The nested verb phrase of a finite clause; a predicate follows a copula."""
    first, no = negation_after(chain[0], verbal)
    if len(chain) == 1:
        if predicate is None:
            return phrase("VP", adverb, first, no, *complements)
        return phrase("VP", first, no, adverb, predicate, *complements)
    inner = phrase("VP", chain[-1], predicate, *complements)
    for auxiliary in reversed(chain[1:-1]):
        inner = phrase("VP", auxiliary, inner)
    return phrase("VP", first, no, adverb, inner)


def inverted(
    chain: list[Node], verbal: Verbal, subject: Node, complements: list[Node],
    predicate: Node | None = None,
) -> Node:  # fmt: skip
    """The inverted clause of questions (SQ): auxiliary, subject, the rest."""
    first, no = negation_after(chain[0], verbal)
    before, after = (no, None) if verbal.contracted else (None, no)
    if len(chain) == 1:
        return phrase("SQ", first, before, subject, after, predicate, *complements)
    inner = phrase("VP", chain[-1], predicate, *complements)
    for auxiliary in reversed(chain[1:-1]):
        inner = phrase("VP", auxiliary, inner)
    return phrase("SQ", first, before, subject, after, inner)


_CLITICS = {
    "is": "'s", "has": "'s", "am": "'m", "are": "'re", "have": "'ve", "will": "'ll", "had": "'d",
    "would": "'d",
}  # fmt: skip


def shorten(first: Node) -> None:
    """Write an auxiliary as a clitic on the pronoun before it, if it has such a form."""
    word = first.word
    if word is not None and word.upos == "AUX" and word.form in _CLITICS:
        first.word = Word(_CLITICS[word.form], word.lemma, word.upos, word.xpos, word.feats,
                          space_before=False, fused=True)  # fmt: skip
