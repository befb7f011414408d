"""The journal of a search: what was asked and what was answered, one JSON line each.

The first line says which search it is. A line is on the disk before the next question is asked, so
a search that was killed at any moment can be told again what it knew.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...core import files
from ...core.errors import DataError, UsageError
from .protocols import Estimate, Trial

JOURNAL = "search.jsonl"
SKIPPED = "skipped"
"""Among the details of a candidate that was not asked about, and why not."""


@dataclass(frozen=True)
class Evaluation:
    """A question and its answer.

    ``number`` counts from 1 in the ``arm`` (``search``, ``random``, ``confirm search``) of a
    ``repetition``; ``seed`` is the estimator's. ``seconds`` are those of asking and answering.
    ``error`` is the message of an evaluation that failed, whose losses are inf.
    """

    arm: str
    repetition: int
    number: int
    candidate: str
    losses: tuple[float, ...]
    fidelity: float = 1.0
    seed: int = 0
    measured: bool = True
    seconds: float = 0.0
    details: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def id(self) -> str:
        """Ten hexadecimal digits that stand for the candidate."""
        return hashlib.sha256(self.candidate.encode()).hexdigest()[:10]

    @property
    def skipped(self) -> bool:
        """Whether the candidate was passed over: it costs none of a budget of evaluations."""
        return SKIPPED in self.details

    @property
    def trial(self) -> Trial:
        """The question."""
        return Trial(self.candidate, self.fidelity)

    @property
    def estimate(self) -> Estimate:
        """The answer."""
        return Estimate(self.losses, self.measured, self.details)

    def to_line(self) -> str:
        """One line of JSON. A loss that is not finite, and any such number in details, is null."""
        return json.dumps(_plain(asdict(self) | {"id": self.id}), sort_keys=True, allow_nan=False)

    @classmethod
    def from_line(cls, line: str | bytes) -> Evaluation:
        """What ``to_line`` wrote; ValueError, TypeError or KeyError for anything else."""
        known = json.loads(line)
        known.pop("id")
        losses = tuple(math.inf if loss is None else float(loss) for loss in known.pop("losses"))
        return cls(losses=losses, **known)


class Journal:
    """The evaluations of one search, in a file or, without a path, in memory alone.

    ``identity`` says all that decides the questions and the answers. ``notes`` tell what had to be
    left out: a line that a kill tore. Raises UsageError for the journal of another search, and
    DataError for one with a line missing.
    """

    def __init__(
        self, path: Path | None, identity: Mapping[str, Any], *, again: bool = False
    ) -> None:
        self._path = path
        self.notes: list[str] = []
        self._known: dict[tuple[str, int], list[Evaluation]] = defaultdict(list)
        self._open(json.loads(files.canonical_json(_plain(identity))), again)

    def of(self, arm: str, repetition: int) -> list[Evaluation]:
        """What is recorded of an arm, in order."""
        return list(self._known[arm, repetition])

    def append(self, evaluation: Evaluation) -> Evaluation:
        """Record an evaluation, and return it as it will be read.

        So a strategy is told the same whether the search was disturbed or not.
        """
        line = evaluation.to_line()
        if self._path is not None:
            files.append_line(self._path, line)
        read = Evaluation.from_line(line)
        self._known[read.arm, read.repetition].append(read)
        return read

    def _open(self, identity: dict[str, Any], again: bool) -> None:
        if self._path is None:
            return
        lines = [] if again else self._read(self._path)
        if not lines:
            files.write_text(self._path, files.canonical_json({"identity": identity}) + "\n")
            return
        known = json.loads(lines[0]).get("identity")
        if known != identity:
            raise UsageError(
                f"holds another search ({_difference(known, identity)})",
                where=str(self._path),
                cure="--again begins anew in its place, -o names another folder",
            )
        for number, line in enumerate(lines[1:], start=2):
            try:
                evaluation = Evaluation.from_line(line)
            except (ValueError, TypeError, KeyError) as error:
                raise DataError(
                    f"is no evaluation ({error})",
                    where=f"{self._path}:{number}",
                    cure="--again begins anew",
                ) from error
            of_arm = self._known[evaluation.arm, evaluation.repetition]
            of_arm.append(evaluation)
            if evaluation.number != len(of_arm):
                raise DataError(
                    f"evaluation {len(of_arm)} of the arm {evaluation.arm} is missing",
                    where=f"{self._path}:{number}",
                    cure="--again begins anew",
                )

    def _read(self, path: Path) -> list[bytes]:
        """The whole lines. What a kill tore is cut off, in the file too."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
        whole, _, torn = content.rpartition(b"\n")
        if torn:
            self.notes.append(f"{path}: the last line was torn and is left out")
            with files.atomic_writer(path) as stream:
                stream.write(whole + b"\n" * bool(whole))
        lines = whole.split(b"\n") if whole else []
        try:
            if lines and not isinstance(json.loads(lines[0]), dict):
                raise ValueError("not an object")
        except ValueError as error:
            raise DataError(
                f"is no journal of a search ({error})",
                where=str(path),
                cure="name another folder",
            ) from error
        return lines


def _difference(known: Any, identity: Mapping[str, Any]) -> str:
    """The first thing that differs."""
    known = known if isinstance(known, dict) else {}
    for name in sorted({*known, *identity}):
        there, here = known.get(name), identity.get(name)
        if there != here:
            told = f"{there!r} there, {here!r} here"
            return f"{name}: {told}" if len(told) <= 120 else f"another {name}"
    return "the same in other words"


def _plain(value: Any) -> Any:
    """The value as JSON has it; what is not a finite number becomes null."""
    if hasattr(value, "tolist"):  # numpy, torch
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return str(value)
