"""Speech: questions, orders and quotations, and the frame of letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import verbs
from .assembly import finished, fronted, full_stop, in_quotes, under_root
from .clauses import Clauses
from .discourse import Discourse, Entity, Speech
from .noun_phrases import NounPhrases, comma, prepositional
from .sampler import Sampler
from .sentences import Sentences
from .trees import Node, leaf, phrase
from .words import finite, interjection, name, noun, preposition, punctuation, simple


class Speaking:
    """Builds what the people of a document say and write."""

    def __init__(
        self, sampler: Sampler, discourse: Discourse, phrases: NounPhrases, clauses: Clauses,
        sentences: Sentences,
    ) -> None:  # fmt: skip
        self._sampler = sampler
        self._discourse = discourse
        self._phrases = phrases
        self._clauses = clauses
        self._sentences = sentences

    def spoken(self) -> Node:
        """One sentence of a letter, a note or a talk."""
        options: list[tuple[Callable[[], Node], float]] = [
            (self._sentences.narrative, 5.0), (self.question, 2.0), (self.order, 1.2),
        ]  # fmt: skip
        return self._sampler.weighted(options)()

    # Questions, orders and speech

    def question(self) -> Node:
        """A question of the speaker."""
        return finished(self._question_body(), "?")

    def _question_body(self) -> Node:
        draw = self._sampler
        hearer = self._discourse.speech.hearer
        subject = hearer if hearer is not None and draw.chance(0.6) else self._sentences.subject()
        if subject is self._discourse.speech.speaker and hearer is not None:
            subject = hearer
        verbal = replace(self._clauses.verbal(), negative=draw.chance(0.08), contracted=True)
        if verbal.modal in ("might", "may", "must"):
            verbal = replace(verbal, modal="can")
        if subject.kind in ("person", "animal") and draw.chance(0.5):
            return self._clauses.wh_question(subject, verbal)
        return self._clauses.yes_no(self._clauses.event(subject), verbal)

    def order(self) -> Node:
        """An imperative of the speaker."""
        return finished(self._order_body(), "." if self._sampler.chance(0.7) else "!")

    def _order_body(self) -> Node:
        draw = self._sampler
        hearer = self._discourse.speech.hearer
        if hearer is None:
            return self._sentences.clause()
        clause = self._clauses.command(hearer, draw.chance(0.22))
        if draw.chance(0.25):
            please = leaf(interjection("please"), "discourse")
            return phrase("S", phrase("INTJ", please.as_("head")).as_("discourse"), clause)
        if draw.chance(0.45) and "first" in hearer.told:
            return phrase("S", clause, comma().to_next("punct"), self._vocative(hearer))
        return clause

    def _vocative(self, hearer: Entity) -> Node:
        self._discourse.note(hearer, "obl", by_pronoun=False)
        node = phrase("NP", leaf(name(hearer.first))).mentioning(hearer.ident)
        return node.as_("vocative")

    def quotation(self) -> Node:
        """Direct speech with its speaker, before, after or without a verb of saying."""
        draw = self._sampler
        people = [e for e in self._discourse.people() if e.is_person]
        if len(people) < 2:
            return self._sentences.narrative()
        order = draw.shuffled(people[:3])
        speaker, hearer = order[:2]
        if len(order) > 2 and draw.chance(0.25):
            hearer = self._discourse.set_of((order[1], order[2]))
        if draw.chance(0.3):
            return self._quote_last(speaker, hearer)
        return self._quote_first(speaker, hearer)

    def _quoted(self, speaker: Entity, hearer: Entity) -> tuple[Node, str]:
        """What is said, with "I" and "you" in place, and the mark that ends it."""
        draw = self._sampler
        clauses = self._clauses
        outer, spoken = self._discourse.speech, clauses.spoken
        self._discourse.speech, clauses.spoken = Speech(speaker, hearer), True
        kind = draw.weighted([("say", 4.0), ("ask", 2.6), ("order", 1.8), ("answer", 0.8)])
        if kind == "ask":
            node, mark = self._question_body(), "?"
        elif kind == "order":
            node, mark = self._order_body(), draw.pick(["!", ",", ","])
        else:
            node, mark = self._sentences.clause(), ","
            if kind == "answer":
                word = phrase("INTJ", leaf(interjection(draw.pick(["yes", "no", "well", "oh"]))))
                node = fronted(word.as_("discourse"), comma().to_previous("punct"), node)
            elif draw.chance(0.12) and "first" in hearer.told:
                node = phrase("S", node, comma().to_next("punct"), self._vocative(hearer))
        self._discourse.speech, clauses.spoken = outer, spoken
        return node, mark

    def _quote_first(self, speaker: Entity, hearer: Entity) -> Node:
        draw = self._sampler
        said, mark = self._quoted(speaker, hearer)
        verb = draw.pick(["ask", "ask", "say"]) if mark == "?" else draw.pick(
            [word for word in verbs.QUOTING if word != "ask"]
        )  # fmt: skip
        quote = in_quotes(said, mark, capital=True)
        agreement = self._discourse.agreement(speaker)
        verb_node = leaf(finite(verb, self._clauses.tense, agreement))
        who = self._phrases.mention(speaker, "subj").as_("nsubj")
        self._sentences.keep(speaker)
        if who.children[0].label == "PRP" or draw.chance(0.35):
            return full_stop(phrase("S", quote, who, phrase("VP", verb_node)))
        return full_stop(phrase("SINV", quote, phrase("VP", verb_node), who))

    def _quote_last(self, speaker: Entity, hearer: Entity) -> Node:
        draw = self._sampler
        who = self._phrases.mention(speaker, "subj").as_("nsubj")
        self._sentences.keep(speaker)
        tense = self._clauses.tense
        agreement = self._discourse.agreement(speaker)
        addressed = draw.chance(0.4)
        whom: Node | None = None
        if addressed:
            whom = self._phrases.mention(hearer, "obj", speaker).as_("obj")
        said, mark = self._quoted(speaker, hearer)
        verb = "ask" if mark == "?" else "tell" if addressed else draw.pick(verbs.QUOTING[:1])
        if addressed and whom is not None and verb == "tell":
            whom.relation = "iobj"
        quote = in_quotes(said, "." if mark == "," else mark, capital=True)
        verb_node = leaf(finite(verb, tense, agreement))
        vp = phrase("VP", verb_node, whom, comma().to_next("punct"), quote)
        sentence = phrase("S", who, vp)
        return under_root(sentence)

    # Letters

    def salutation(self) -> Node:
        """ "Dear Anna," """
        hearer = self._discourse.speech.hearer
        assert hearer is not None
        hearer.tell("first")
        dear = leaf(simple("dear", "ADJ", "JJ", "Degree=Pos"), "amod")
        self._discourse.note(hearer, "obl", by_pronoun=False)
        np = phrase("NP", dear, leaf(name(hearer.first))).mentioning(hearer.ident)
        return under_root(np, leaf(punctuation(","), "punct"))

    def signature(self) -> Node:
        """ "With love from Anna" """
        speaker = self._discourse.speech.speaker
        assert speaker is not None
        self._discourse.note(speaker, "obl", by_pronoun=False)
        who = phrase("NP", leaf(name(speaker.first))).mentioning(speaker.ident)
        love = phrase("NP", phrase("NP", leaf(noun("love", "Sing"))),
                      prepositional("from", who, "nmod"))  # fmt: skip
        return under_root(phrase("PP", leaf(preposition("with"), "case"), love))
