"""Where the named corpora come from: a commit, its files, and their sha256 where it is known.

Files are known by their sha256 where they were read before this was written. Of the others, and of
pages on licences, the first download's sha256 is kept and compared with from then on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..core.types import SPLITS
from .upstream_sums import SUMS


class Member(NamedTuple):
    """A file of the archive: its name without folders and ending, and its bytes."""

    stem: str
    data: bytes


Join = Callable[[Sequence[Member]], bytes]


def _as_it_is(members: Sequence[Member]) -> bytes:
    return members[0].data


def _joined(members: Sequence[Member], end: bytes) -> bytes:
    return b"".join(member.data.rstrip(b"\n") + end for member in members)


def _lines(members: Sequence[Member]) -> bytes:
    return _joined(members, b"\n")


def _blocks(members: Sequence[Member]) -> bytes:
    return _joined(members, b"\n\n")


def _trees(members: Sequence[Member]) -> bytes:
    """Trees under the comments that tell whose they are."""
    named = (Member(m.stem, f"# newdoc id = {m.stem}\n".encode() + m.data) for m in members)
    return _blocks(list(named))


def _annotations(members: Sequence[Member]) -> bytes:
    """Lines with the id of their document in front."""
    return b"".join(
        member.stem.encode() + b"\t" + line + b"\n"
        for member in members
        for line in member.data.split(b"\n")
        if line
    )


def _splits(members: Sequence[Member]) -> bytes:
    """LitBank has no split of its own: 80/10/10 in the order of the sha256 of the ids."""
    ids = sorted((m.stem for m in members), key=lambda id_: hashlib.sha256(id_.encode()).digest())
    tenth = len(ids) // 10
    parts = {"train": ids[: -2 * tenth], "dev": ids[-2 * tenth : -tenth], "test": ids[-tenth:]}
    return json.dumps({name: sorted(part) for name, part in parts.items()}, indent=1).encode()


@dataclass(frozen=True)
class Piece:
    """A file to make: its name, the pattern of the paths in the archive that it is made of, and
    the sha256 that it must have, empty where no one knows it."""

    name: str
    members: str
    join: Join = _as_it_is
    sha256: str = ""


@dataclass(frozen=True)
class Source:
    """A commit of a public repository on GitHub, and what of it makes a corpus.

    ``papers`` is the pattern of the files on licence and source, which are kept beside.
    """

    repository: str
    commit: str
    licence: str
    pieces: tuple[Piece, ...]
    papers: str = r"(LICEN[CS]E|README)(\.txt|\.md)?"

    @property
    def url(self) -> str:
        """The archive of the commit."""
        return f"https://codeload.github.com/{self.repository}/tar.gz/{self.commit}"


def _piece(name: str, members: str, join: Join = _as_it_is) -> Piece:
    return Piece(name, members, join, SUMS.get(name, ""))


def _plain(name: str, folder: str = "") -> Piece:
    """A file that stands in the archive as it is, below ``folder``."""
    return _piece(name, folder + re.escape(name))


_HELD_OUT = {
    "dev": (
        "academic_exposure academic_librarians bio_byron bio_emperor conversation_grounded "
        "conversation_risk court_loan court_negligence essay_evolved essay_tools "
        "fiction_beast fiction_lunre interview_cyclone interview_gaming letter_arendt "
        "letter_wiki news_homeopathic news_iodine podcast_bangladesh podcast_wrestling "
        "speech_impeachment speech_inauguration textbook_governments textbook_labor "
        "vlog_portland vlog_radiology voyage_athens voyage_coron whow_joke whow_overalls"
    ),
    "test": (
        "academic_discrimination academic_eegimaa bio_dvorak bio_jespersen "
        "conversation_lambada conversation_retirement court_insanity court_mitigation "
        "essay_fear essay_system fiction_falling fiction_teeth interview_hill "
        "interview_libertarian letter_attorney letter_mandela news_nasa news_sensitive "
        "podcast_bezos podcast_multitasking speech_austria speech_newzealand "
        "textbook_chemistry textbook_union vlog_london vlog_studying voyage_oakland "
        "voyage_vavau whow_cactus whow_mice"
    ),
}


def _gum(split: str, folder: str, kind: str, join: Join) -> Piece:
    """A split of GUM, without the texts from Reddit, whose words are masked there."""
    told = {name: "|".join(names.split()) for name, names in _HELD_OUT.items()}
    rest = rf"(?!reddit_|(?:{told['dev']}|{told['test']})\.)[a-z0-9_]+"
    ending = kind.rpartition(".")[2]
    documents = f"({told[split]})" if split in told else rest
    members = rf"{folder}/GUM_{documents}\.{ending}"
    return _piece(f"en_gum-ud-{split}.{kind}", members, join)


_LITBANK = r"coref/conll/[0-9]+_[^/]+\.conll"


_TREEBANKS = {
    "fi_tdt": ("UD_Finnish-TDT", "5e3a88a671ea673fa330e10cc59f54da587a95a7", "CC BY-SA 4.0"),
    "tr_imst": ("UD_Turkish-IMST", "bcd48daa9957794a9137d85a4e2a115cdcdd4b1a", "CC BY-NC-SA 4.0"),
    "tr_framenet": (
        "UD_Turkish-FrameNet",
        "14ac9b71161bb2d278191f3e6e4085900fed4956",
        "CC BY-SA 4.0",
    ),
    "cs_cltt": ("UD_Czech-CLTT", "a0cfb23c6c2161f6e7712e1009c35e9a87448b3f", "CC BY-SA 4.0"),
    "en_pud": ("UD_English-PUD", "f16eba4ae7f3d161870ed320676c5088b8fa476c", "CC BY-SA 3.0"),
    "fi_pud": ("UD_Finnish-PUD", "fa2c5ad1df6b18333b29fe87d093051097f36365", "CC BY-SA 4.0"),
    "tr_pud": ("UD_Turkish-PUD", "63a134a087c8475ea832713b960baba8ff2f9401", "CC BY-SA 3.0"),
    "ar_pud": ("UD_Arabic-PUD", "be733f45d21f42d506c62930f806ed2182a5ee3d", "CC BY-SA 3.0"),
    "cs_pud": ("UD_Czech-PUD", "f68c66ccd8ab08fa343783a806fed446b905c07e", "CC BY-SA 4.0"),
}


def _treebank(code: str, repository: str, commit: str, licence: str) -> Source:
    """A treebank of Universal Dependencies; the parallel ones have a test file alone."""
    splits = SPLITS[2:] if code.endswith("_pud") else SPLITS
    pieces = [_plain(f"{code}-ud-{split}.conllu") for split in splits]
    return Source(f"UniversalDependencies/{repository}", commit, licence, tuple(pieces))


SOURCES = {
    "gum": Source(
        "amir-zeldes/gum",
        "72ce5ac14978a324c2fd18d49484e65292cbe316",
        "CC BY-NC-SA 4.0 as a whole; annotation CC BY 4.0, texts by genre",
        tuple(
            _gum(split, *kind)
            for split in SPLITS
            for kind in (
                ("dep", "conllu", _blocks),
                ("const", "ptb", _trees),
                ("coref/ontogum/conll", "ontogum.conll", _lines),
            )
        ),
    ),
    "ewt": _treebank(
        "en_ewt",
        "UD_English-EWT",
        "15d613d8447b3478787d4c278730a1e48a945efb",
        "CC BY-SA 4.0",
    ),
    "uner_ewt": Source(
        "UniversalNER/UNER_English-EWT",
        "8ed072de2fd24022cc62458997fe96a8fe191ea4",
        "CC BY-SA 4.0",
        tuple(_plain(f"en_ewt-ud-{split}.iob2") for split in SPLITS),
    ),
    "litbank": Source(
        "dbamman/litbank",
        "3e50db0ffc033d7ccbb94f4d88f6b99210328ed8",
        "CC BY 4.0; the texts are in the public domain",
        (
            _piece("litbank.coref.conll", _LITBANK, _lines),
            _piece("litbank.coref.ann.tsv", r"coref/tsv/[0-9]+_[^/]+\.ann", _annotations),
            _piece("splits.json", _LITBANK, _splits),
        ),
    ),
    "gap": Source(
        "google-research-datasets/gap-coreference",
        "83135f26025cdd705c04f77e940d0c9201116b80",
        "Apache-2.0; the texts are from Wikipedia",
        tuple(_plain(f"gap-{part}.tsv") for part in ("development", "validation", "test")),
    ),
    "winobias": Source(
        "uclanlp/corefBias",
        "0bce984dd081bbc10b0622f326727a024c607895",
        "MIT",
        tuple(
            _plain(name, r"WinoBias/wino/(data/)?")
            for name in (
                *(
                    f"{stereotype}_stereotyped_type{kind}.txt.{split}"
                    for stereotype in ("pro", "anti")
                    for kind in "12"
                    for split in ("dev", "test")
                ),
                "female_occupations.txt",
                "male_occupations.txt",
            )
        ),
    ),
    "blimp": Source(
        "alexwarstadt/blimp",
        "3e56b06fcabca9b30822fc66435fca6b1aa40bb1",
        "CC BY 4.0",
        (_piece("blimp.jsonl", r"data/[^/]+\.jsonl", _lines),),
    ),
    **{f"ud:{code}": _treebank(code, *told) for code, told in _TREEBANKS.items()},
}
"""By the name on the command line."""
