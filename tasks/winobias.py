"""WinoBias: two people named by their occupations, and a pronoun that stands for one of them.

Source: Zhao et al. 2018 (NAACL), Gender Bias in Coreference Resolution.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError, did_you_mean
from ..core.types import Document, Sentence, Span
from .annotated_file import AnnotatedFile
from .base import AnnotatedDocument, Mention, bare
from .conllu_text import read_bytes, split_lines
from .faults import raising
from .pronoun_choice import (
    GENDERS,
    choice_edges,
    find_names,
    with_article,
    without_article,
)
from .surface_words import words_of, words_within

_FILE = re.compile(
    r"(?P<name>(?P<stereotype>pro|anti)_stereotyped_type(?P<type>[12]))\.txt\.(?P<split>dev|test)"
)
_LISTS = {"feminine": "female_occupations.txt", "masculine": "male_occupations.txt"}
_LINE = re.compile(r"[0-9]+ (.*)")
_BRACKET = re.compile(r"([\[\]])")
COUNTS = (
    "documents",
    "words",
    "choices",
    "without_second_candidate",
    "further_pronouns",
    "further_occupations",
    "blanks_in_brackets",
)
"""What is always counted."""


class _Marked(NamedTuple):
    """The words of a line without its brackets, and the words that stood in each pair of them."""

    sentence: Sentence
    spans: tuple[Span, ...]


def read_winobias_folder(folder: Path) -> dict[str, AnnotatedFile]:
    """Read the eight files of WinoBias into dev and test; there is no train.

    Each has pro- and anti-stereotyped sentences of type 1 and 2, in this order (``read_winobias``).
    Raises DataError where a file is missing.
    """
    found = {}
    for split in ("dev", "test"):
        files = [
            read_winobias(folder / f"{stereotype}_stereotyped_type{kind}.txt.{split}")
            for stereotype in ("pro", "anti")
            for kind in "12"
        ]
        counts = {name: sum(file.counts[name] for file in files) for name in COUNTS}
        found[split] = AnnotatedFile(
            tuple(document for file in files for document in file.documents), counts
        )
    return found


def read_winobias(path: Path) -> AnnotatedFile:
    """Read ``pro_`` or ``anti_stereotyped_type1`` or ``2.txt.dev`` or ``.test``: a document a line.

    The two lists of occupations lie beside it. A line is a number and a sentence in which the
    antecedent (``[the designer]``) and one pronoun or more are marked. Words are cut by rule
    (``surface_words``), with borders at the brackets. The mentions are the antecedent and the
    pronouns, of the entity ``P``, and the other person, of ``O``: the first occupation of the
    lists outside of the brackets that is not the antecedent's, with its article. Two edges of
    the task ``choice`` join the first pronoun to the two people, in the order of the text, and say
    yes or no. A document without another person has no edges (``without_second_candidate``).

    Attributes: ``stereotype`` (``pro``, ``anti``), ``type`` (``1``: what the sentence means
    resolves the pronoun, ``2``: its syntax does), ``gender`` of the pronoun and
    ``antecedent_gender``, that of the list with the antecedent's occupation. ``counts`` has the
    names of COUNTS: ``further_pronouns`` marked behind the first, ``further_occupations`` outside
    of the brackets, which are no candidates, and ``blanks_in_brackets``, which are taken away.

    Raises DataError with ``where="FILE:LINE"`` for a line that does not fit, and where the
    genders do not agree with the stereotype that the file's name tells.
    """
    told = _FILE.fullmatch(path.name)
    if told is None:
        raise DataError(
            "the name tells neither stereotype, type nor split",
            where=str(path),
            cure="call it pro_stereotyped_type1.txt.dev, or anti, type2, test",
        )
    occupations = {
        " ".join(name.lower().split()): gender
        for gender, file in _LISTS.items()
        for name in _lines(path.parent / file)
    }
    counts = Counter(dict.fromkeys(COUNTS, 0))
    documents = []
    for number, line in enumerate(_lines(path), 1):
        where = f"{path}:{number}"
        documents.append(_document(line, told, occupations, where, counts))
    return AnnotatedFile(tuple(documents), dict(counts))


def _lines(path: Path) -> list[str]:
    lines = split_lines(read_bytes(path), raising(str(path), {}))
    if not lines[-1]:
        lines.pop()
    if not lines:
        raise DataError("an empty file", where=str(path), cure="fetch it again")
    return lines


def _document(
    line: str,
    file: re.Match[str],
    occupations: Mapping[str, str],
    where: str,
    counts: Counter[str],
) -> AnnotatedDocument:
    sentence, spans = _marked(line, where, counts)
    words = sentence.words
    genders = {span: _gender(words, span) for span in spans}
    pronouns = [span for span in spans if genders[span]]
    people = [span for span in spans if not genders[span]]
    if len(people) != 1 or len({genders[span] for span in pronouns}) != 1:
        raise DataError(
            f"{len(people)} people and {len(pronouns)} pronouns in brackets",
            where=where,
            cure="mark one person and that person's pronouns, of one gender",
        )
    antecedent = people[0]
    name = without_article(words[slice(*antecedent)])
    if name not in occupations:
        raise DataError(
            f"the occupation {name!r} is in neither list",
            where=where,
            cure=f"add it to one; {did_you_mean(name, occupations)}",
        )
    gender, expected = genders[pronouns[0]], occupations[name]
    if (gender == expected) != (file["stereotype"] == "pro"):
        raise DataError(
            f"a {gender} pronoun for {name!r} in a file of {file['stereotype']}-stereotyped lines",
            where=where,
            cure="move the line into the other file, or the occupation into the other list",
        )
    outside = list(find_names(words, occupations, spans))
    others = [found.span for found in outside if found.name != name][:1]
    people = sorted([antecedent, *others])
    mentions = [Mention(span, "P", "") for span in spans]
    mentions += [Mention(span, "O", "") for span in others]
    counts["documents"] += 1
    counts["words"] += len(words)
    counts["choices"] += len(others)
    counts["without_second_candidate"] += not others
    counts["further_pronouns"] += len(pronouns) - 1
    counts["further_occupations"] += len(outside) - len(others)
    number = where.rpartition(":")[2]
    return AnnotatedDocument(
        Document(f"{file['name']}.{file['split']}#{number}", (sentence,)),
        tuple(map(bare, words)),
        mentions=tuple(sorted(mentions)),
        edges=choice_edges(pronouns[0], [(span, span == antecedent) for span in people])
        if others
        else (),
        attributes={
            "stereotype": file["stereotype"],
            "type": file["type"],
            "gender": gender,
            "antecedent_gender": expected,
        },
    )


def _gender(words: Sequence[str], span: Span) -> str:
    """The gender of a pronoun; empty for any other words."""
    return GENDERS.get(" ".join(words[slice(*span)]).lower(), "")


def _marked(line: str, where: str, counts: Counter[str]) -> _Marked:
    numbered = _LINE.fullmatch(line)
    pieces = _BRACKET.split(numbered[1]) if numbered else []
    if (
        len(pieces) < 5
        or pieces[1::2] != ["[", "]"] * (len(pieces) // 4)
        or not all(piece.strip() for piece in pieces[2::4])
    ):
        raise DataError(
            "not a number and a sentence with words in brackets",
            where=where,
            cure="write N The x told [the y] that [she] ...",
        )
    text, places = "", []
    for number, piece in enumerate(pieces[::2]):
        if number % 2:
            counts["blanks_in_brackets"] += piece != piece.strip()
            piece = piece.strip()
            places.append(Span(len(text), len(text) + len(piece)))
        text += piece
    sentence = words_of(text, (border for place in places for border in place))
    spans = (words_within(sentence.offsets, place) for place in places)
    return _Marked(sentence, tuple(with_article(sentence.words, span) for span in spans))
