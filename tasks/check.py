"""``probe data check FILE``: all that is wrong with a CoNLL-U file, not only the first fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .conllu import ConlluParser
from .conllu_text import read_bytes
from .faults import Fault, Severity


class Problem(NamedTuple):
    """``line`` counts from 1, 0 means the whole file; ``sentence`` is a sent_id or ``#N``."""

    line: int
    sentence: str
    what: str
    cure: str
    severity: Severity


@dataclass(frozen=True)
class CheckReport:
    """What was found in a file.

    ``problems`` holds the first ``limit`` by line; ``kinds`` counts all of them, listed or not.
    ``counts`` are those of ``ConlluFile``; words and mentions of faulty sentences are not in it.
    """

    file: str
    problems: tuple[Problem, ...]
    errors: int
    warnings: int
    kinds: Mapping[str, int]
    counts: Mapping[str, int]
    limit: int

    @property
    def sound(self) -> bool:
        """No error: ``read_conllu`` reads the file."""
        return not self.errors

    @property
    def unlisted(self) -> int:
        """How many problems lie beyond the limit."""
        return self.errors + self.warnings - len(self.problems)


def check_conllu(path: Path, limit: int = 100) -> CheckReport:
    """Check a file with the reader's own parser.

    Errors are what ``read_conllu`` refuses: columns, ids, features, heads that are no tree with
    one root, brackets that do not close, ids used twice. Warnings change no label: above all a
    comment ``# text`` that is not what the words give. After an error the rest of its sentence may
    go unchecked. Raises DataError only when the file cannot be opened or unpacked.
    """
    faults: list[Fault] = []
    parser = ConlluParser(path, faults.append)
    for _ in parser.sentences(read_bytes(path)):
        pass
    faults.sort(key=lambda fault: fault.line)
    severities = Counter(fault.severity for fault in faults)
    return CheckReport(
        file=str(path),
        problems=tuple(
            Problem(fault.line, fault.sentence, fault.what, fault.cure, fault.severity)
            for fault in faults[:limit]
        ),
        errors=severities["error"],
        warnings=severities["warning"],
        kinds=dict(sorted(Counter(fault.kind for fault in faults).items())),
        counts=parser.counts(),
        limit=limit,
    )
