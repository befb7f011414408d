"""Winogender: an occupation, another person, and a pronoun that stands for one of them.

Source: Rudinger et al. 2018 (NAACL), Gender Bias in Coreference Resolution.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ..core.errors import DataError
from ..core.types import Document, Span
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Mention, bare
from .pronoun_choice import GENDERS, choice_edges, find_names
from .surface_words import words_of
from .table_rows import TableRow, table_rows

_COLUMNS = ("sentid", "sentence")
_ID = re.compile(
    r"(?P<occupation>[^.]+)\.(?P<participant>[^.]+)\.(?P<answer>[01])"
    r"\.(?P<gender>male|female|neutral)\.txt"
)
_ANSWERS = ("occupation", "participant")
_GENDERS = {"male": "masculine", "female": "feminine", "neutral": "neutral"}
_PRONOUNS: Mapping[str, str] = {
    **GENDERS,
    **dict.fromkeys(("they", "them", "their", "theirs", "themselves", "themself"), "neutral"),
}


def read_winogender(path: Path) -> AnnotatedFile:
    """Read ``all_sentences.tsv``, plain or gzip: a document of one sentence a row.

    The id of a row is ``OCCUPATION.PARTICIPANT.ANSWER.GENDER.txt``: ANSWER is 0 where the pronoun
    stands for the occupation, 1 for the participant; the participant may be ``someone``; GENDER is
    male, female or neutral (they). A document is called so, without ``.txt``. Words are cut by rule
    (``surface_words``). The mentions are all pronouns of that gender and the right person, of the
    entity ``P``, and the other person, ``O``; a person is the first place of the name, with its
    article. Two edges of the task ``choice`` join the first pronoun to the two people, in the
    order of the text, and say yes or no. Attributes: ``gender`` (``masculine``, ``feminine``,
    ``neutral``), ``occupation``, ``participant``, ``answer`` (``occupation``, ``participant``).
    ``counts``: ``documents``, ``words``, ``further_pronouns`` behind the first, and the documents
    of each gender.

    Raises DataError with ``where="FILE:LINE"`` at the first fault, as where a name or a pronoun
    does not stand in its sentence.
    """
    counts = Counter({"documents": 0, "words": 0, "further_pronouns": 0})
    counts.update(dict.fromkeys(_GENDERS.values(), 0))
    documents: dict[str, AnnotatedDocument] = {}
    for row in table_rows(path, _COLUMNS, header=True):
        if row.cells[0] in documents:
            raise DataError(
                f"a second row {row.cells[0]!r}", where=row.where, cure="ids are used once"
            )
        documents[row.cells[0]] = _document(row, counts)
    return AnnotatedFile(tuple(documents.values()), dict(counts))


def _document(row: TableRow, counts: Counter[str]) -> AnnotatedDocument:
    told = _ID.fullmatch(row.cells[0])
    if told is None:
        raise DataError(
            f"the id {row.cells[0]!r} does not tell who is meant",
            where=row.where,
            cure="write OCCUPATION.PARTICIPANT.ANSWER.GENDER.txt",
        )
    sentence = words_of(row.cells[1])
    words = sentence.words
    gender, answer = _GENDERS[told["gender"]], int(told["answer"])
    pronouns = [
        Span(place, place + 1)
        for place, word in enumerate(words)
        if _PRONOUNS.get(word.lower()) == gender
    ]
    people = [
        next((found.span for found in find_names(words, [told[name]])), None) for name in _ANSWERS
    ]
    right, wrong = people[answer], people[1 - answer]
    if not pronouns or right is None or wrong is None:
        raise DataError(
            f"{told['occupation']!r}, {told['participant']!r} or the {gender} pronoun does not "
            "stand in the sentence",
            where=row.where,
            cure="write the id that belongs to the sentence",
        )
    counts["documents"] += 1
    counts["words"] += len(words)
    counts["further_pronouns"] += len(pronouns) - 1
    counts[gender] += 1
    return AnnotatedDocument(
        Document(row.cells[0].removesuffix(".txt"), (sentence,)),
        tuple(map(bare, words)),
        mentions=tuple(
            sorted(
                [*(Mention(span, "P", "") for span in (*pronouns, right)), Mention(wrong, "O", "")]
            )
        ),
        edges=choice_edges(pronouns[0], sorted([(right, True), (wrong, False)])),
        attributes={
            "gender": gender,
            "occupation": told["occupation"],
            "participant": told["participant"],
            "answer": _ANSWERS[answer],
        },
    )
