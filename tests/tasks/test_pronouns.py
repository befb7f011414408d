"""Which pronouns are asked about, among which nouns, and what is right; against a plain search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import SPLITS
from layerwise.tasks.base import AnnotatedDocument, Corpus
from layerwise.tasks.choices import Choice, ChoiceTask, prepare_choices
from layerwise.tasks.conllu import read_conllu
from layerwise.tasks.pronouns import PronounResolution

Write = Callable[..., Path]

HIS = "PronType=Prs|Person=3|Number=Sing|Poss=Yes"
HE = "Number=Sing|PronType=Prs|Person=3"
THEY = "Number=Plur|PronType=Prs|Person=3"


def document(conllu: Write, *sentences: str, tree: str = "") -> AnnotatedDocument:
    """Rows of form, tag, feats, head, relation and Entity value."""
    blocks = []
    for sentence in sentences:
        rows = [row.split() for row in sentence.strip().splitlines()]
        blocks.append(
            "\n".join(
                f"{i} {form} {form} {upos} _ {feats} {head} {deprel} _ "
                + (f"Entity={entity}" if entity != "_" else "_")
                for i, (form, upos, feats, head, deprel, entity) in enumerate(rows, 1)
            )
        )
    blocks[0] = f"# newdoc id = d\n# global.Entity = eid\n{tree}{blocks[0]}"
    (found,) = read_conllu(conllu("\n\n".join(blocks))).documents
    return found


def told(found: AnnotatedDocument, argument: str = "") -> list[tuple[str, str, str]]:
    """Pronoun, context, and candidates, the right ones with a star."""
    words = found.document.words
    return [
        (
            " ".join(words[slice(*choice.target)]),
            " ".join(words[slice(*choice.context)]) if choice.context else "",
            " ".join(words[c.span.start] + "*" * c.right for c in choice.candidates),
        )
        for choice in PronounResolution(argument).choices(found).choices
    ]


# "The boys gave Ann Lee of Rome a hat , and she likes her friends ." with a fuller name
SENTENCE = f"""
The   DET   _           2  det   (1
boys  NOUN  Number=Plur 3  nsubj 1)
gave  VERB  _           0  root  _
Ann   PROPN Number=Sing 3  iobj  (2
Lee   PROPN Number=Sing 4  flat  _
of    ADP   _           7  case  _
Rome  PROPN Number=Sing 4  nmod  (3)2)
a     DET   _           9  det   (4
hat   NOUN  Number=Sing 3  obj   4)
and   CCONJ _           12 cc    _
she   PRON  {HE}        12 nsubj (2)
likes VERB  _           3  conj  _
her   PRON  {HIS}       14 nmod  (5(2)
ties  NOUN  Number=Plur 12 obj   5)
"""


def test_candidates_are_the_nouns_before_that_agree(conllu: Write) -> None:
    found = document(conllu, SENTENCE)
    assert told(found) == [
        ("she", "and she likes her ties", "Ann* Lee* Rome hat"),
        ("her", "her ties", "Ann* Lee* Rome hat"),
    ]
    assert told(found, "any") == [
        ("she", "and she likes her ties", "boys Ann* Lee* Rome hat"),
        ("her", "her ties", "boys Ann* Lee* Rome hat"),
    ]


def test_a_tree_tells_the_constituent_where_there_is_one(conllu: Write) -> None:
    tree = (
        "# tree = (S (S (NP (T The) (T boys)) (VP (T gave) (NP (NP (T Ann) (T Lee)) (PP (T of) "
        "(NP (T Rome)))) (NP (T a) (T hat)))) (T and) (S (NP (T she)) (VP (T likes) (NP (T her) "
        "(T ties)))))\n"
    )
    found = document(conllu, SENTENCE, tree=tree)
    assert [context for _, context, _ in told(found)] == ["she likes her ties", "her ties"]
    assert PronounResolution().choices(found).counts["constituents_from_trees"] == 2


def test_what_is_left_out_is_counted_by_its_reason(conllu: Write) -> None:
    found = document(
        conllu,
        # A pronoun in first position, its antecedent behind it; then one that has a noun.
        f"""
        He   PRON  {HE}        2 nsubj (1)
        saw  VERB  _           0 root  _
        Bob  PROPN Number=Sing 2 obj   (1)
        feed VERB  _           2 xcomp _
        his  PRON  {HIS}       6 nmod  (1)
        cat  NOUN  Number=Sing 4 obj   _
        """,
        # No mention; an antecedent in another sentence; one that is a pronoun only.
        f"""
        It   PRON  {HE}        2 expl  _
        said VERB  _           0 root  _
        he   PRON  {HE}        2 obj   (1)
        saw  VERB  _           2 xcomp _
        him  PRON  {HE}        4 obj   (1)
        """,
        # Another person and other pronouns are not asked about.
        """
        I    PRON  PronType=Prs|Person=1 2 nsubj (2)
        know VERB  _                     0 root  _
        who  PRON  PronType=Int          2 obj   (2)
        """,
    )
    choices, counts = PronounResolution().choices(found)
    assert told(found) == [("his", "his cat", "Bob*")]
    assert choices[0].document == "d"
    assert dict(counts) == {
        "pronouns": 5,
        "left_out_no_mention": 1,
        "left_out_no_antecedent_in_the_sentence": 2,
        "left_out_antecedents_no_nouns": 1,
        "constituents_from_heads": 1,
        "targets_whose_right_nouns_disagree_in_number": 0,
    }


def test_a_target_stays_where_agreement_leaves_no_right_noun(conllu: Write) -> None:
    sentence = f"""
    Teams NOUN  Number=Plur 2 nsubj (2)
    beat  VERB  _           0 root  _
    the   DET   _           4 det   (1
    club  NOUN  Number=Sing 2 obj   1)
    they  PRON  {THEY}      6 nsubj (1)
    run   VERB  _           2 conj  _
    """
    found = document(conllu, sentence)
    assert told(found) == [("they", "they run", "Teams")]
    assert told(found, "any") == [("they", "they run", "Teams club*")]
    found = document(conllu, sentence.replace("Teams NOUN  Number=Plur", "Teams NOUN  Number=Sing"))
    assert told(found) == [("they", "they run", "")]
    counts = PronounResolution().choices(found).counts
    assert counts["targets_whose_right_nouns_disagree_in_number"] == 1


@pytest.mark.parametrize(
    ("pronoun", "noun", "agree"),
    [
        ("Number=Sing", "Number=Sing", True),
        ("Number=Sing", "Number=Plur", False),
        ("Number=Sing", "Case=Nom", False),
        ("Number=Plur,Sing", "Number=Plur", True),
        ("Number=Sing", "Number=Dual,Sing", True),
        ("Case=Nom", "Number=Plur", True),
        ("Number=Plur|Number[psor]=Sing", "Number=Sing", True),
        ("Number=Plur|Number[psor]=Sing", "Number=Plur", False),
    ],
)
def test_agreement(conllu: Write, pronoun: str, noun: str, agree: bool) -> None:
    found = document(
        conllu,
        f"""
        Owl  NOUN {noun}                          2 nsubj (1)
        took VERB _                               0 root  _
        its  PRON PronType=Prs|Person=3|{pronoun} 4 nmod  (1)
        hat  NOUN _                               2 obj   _
        """,
    )
    assert [candidates for _, _, candidates in told(found)] == ["Owl*" if agree else ""]


def test_a_mention_that_holds_the_pronoun_counts_if_its_head_stands_before(conllu: Write) -> None:
    found = document(
        conllu,
        f"""
        the  DET  _           2 det       (1
        man  NOUN Number=Sing 0 root      _
        with ADP  _           5 case      _
        his  PRON {HIS}       5 nmod      (2(1)
        dog  NOUN Number=Sing 2 nmod      2)1)
        """,
    )
    assert told(found) == [("his", "with his dog", "man*")]


def test_a_word_in_several_entities_stands_for_each(conllu: Write) -> None:
    found = document(
        conllu,
        f"""
        Ann  PROPN Number=Sing 2 nsubj (1)
        met  VERB  _           0 root  _
        Bea  PROPN Number=Sing 2 obj   (2)
        her  PRON  {HE}        2 dep   (1)(2)
        """,
    )
    assert told(found)[0][2] == "Ann* Bea*"


@pytest.mark.parametrize(
    ("argument", "name", "splits"),
    [
        ("", "pronoun", SPLITS),
        ("any", "pronoun:any", SPLITS),
        ("test", "pronoun:test", ("test",)),
        ("test,any", "pronoun:any,test", ("test",)),
        ("test,dev", "pronoun:dev,test", ("dev", "test")),
        ("dev,train,test,any", "pronoun:any", SPLITS),
    ],
)
def test_one_task_has_one_name(argument: str, name: str, splits: tuple[str, ...]) -> None:
    task = PronounResolution(argument)
    assert (task.name, task.splits) == (name, splits) and isinstance(task, ChoiceTask)
    assert PronounResolution(task.name.partition(":")[2]).name == name


@pytest.mark.parametrize("argument", ["all", "test dev", "any,", ",", "Test"])
def test_another_argument_is_refused(argument: str) -> None:
    with pytest.raises(UsageError, match="pronoun:any"):
        PronounResolution(argument)


def test_splits_are_scored_together_or_one_by_one(conllu: Write) -> None:
    one = document(conllu, SENTENCE)
    corpus = Corpus("c", {"train": (one,), "dev": (), "test": (one,)}, {"licence": "none"})
    both = prepare_choices(PronounResolution("any"), corpus)
    assert [len(both.splits[name].choices) for name in SPLITS] == [2, 0, 2]
    assert both.task == "pronoun:any.v1" and both.facts["scored_on"] == list(SPLITS)
    assert both.facts["counts"]["test"] == {
        "documents": 1, "sentences": 1, "words": 14, "targets": 2, "candidates": 10, "pronouns": 2,
        "constituents_from_heads": 2, "targets_whose_right_nouns_disagree_in_number": 0,
    }  # fmt: skip
    assert list(prepare_choices(PronounResolution("test"), corpus).splits) == ["test"]
    with pytest.raises(DataError, match="nothing to choose in dev"):
        prepare_choices(PronounResolution("dev"), corpus)
    assert PronounResolution.available(corpus) == ["pronoun", "pronoun:any"]


def test_without_coreference_or_numbers_it_is_not_available(conllu: Write) -> None:
    numberless = document(conllu, SENTENCE.replace("Number=Sing ", "_           "))
    corpus = Corpus("c", {"test": (numberless,)})
    assert PronounResolution.available(corpus) == ["pronoun:any"]
    bare = AnnotatedDocument(numberless.document, numberless.words, None)
    assert PronounResolution.available(Corpus("c", {"test": (bare,)})) == []
    assert PronounResolution().choices(bare).choices == ()


def plain_search(document: AnnotatedDocument) -> list[tuple[int, list[tuple[int, bool]]]]:
    """Pronouns and all nouns before them, by a search through sentences and mentions."""
    found = []
    words = document.words
    for s, sentence in enumerate(document.document.sentences):
        first = document.document.sentence_starts[s]
        for position in range(first, first + len(sentence.words)):
            feats = words[position].feats
            if (feats.get("Person"), feats.get("PronType")) != ("3", "Prs"):
                continue
            right = set()
            for own in document.mentions or ():
                if (own.span.start, own.span.end) != (position, position + 1):
                    continue
                for other in document.mentions or ():
                    inside = range(*other.span)
                    head = next(w for w in inside if words[w].head not in inside)
                    if other.entity == own.entity and first <= head < position:
                        right.add(head)
            nouns = []
            for noun in range(first, position):
                top = noun
                while words[top].deprel.startswith("flat"):
                    top = words[top].head
                if words[noun].upos in ("NOUN", "PROPN"):
                    nouns.append((noun, top in right))
            if any(is_right for _, is_right in nouns):
                found.append((position, nouns))
    return found


def plain(choices: tuple[Choice, ...]) -> list[tuple[int, list[tuple[int, bool]]]]:
    return [
        (choice.target.start, [(c.span.start, c.right) for c in choice.candidates])
        for choice in choices
    ]


@pytest.mark.parametrize("name", ["gum_open-dev", "gum_open-test"])
def test_on_gum_the_choices_are_those_of_a_plain_search(shared_data: Path, name: str) -> None:
    total = 0
    for document in read_conllu(shared_data / "gum_open" / f"{name}.conllu.gz").documents:
        choices, counts = PronounResolution("any").choices(document)
        assert plain(choices) == plain_search(document)
        agreeing = PronounResolution().choices(document)
        assert [c[:3] for c in agreeing.choices] == [c[:3] for c in choices]
        assert agreeing.counts == counts
        for few, many in zip(agreeing.choices, choices, strict=True):
            number = document.words[few.target.start].feats["Number"]
            assert few.candidates == tuple(
                candidate
                for candidate in many.candidates
                if document.words[candidate.span.start].feats.get("Number") == number
            )
            assert many.context is not None and many.context.end - many.context.start > 1
            assert many.context.start <= many.target.start < many.context.end
        left_out = sum(count for reason, count in counts.items() if reason.startswith("left_out"))
        assert counts["pronouns"] == len(choices) + left_out
        total += len(choices)
    assert total == {"gum_open-dev": 97, "gum_open-test": 57}[name]
