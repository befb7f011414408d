"""A language model as the strategy of a search."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ....core.errors import DataError, UsageError, did_you_mean
from ..protocols import Estimate, SearchSpace, Trial
from .connection import Connection
from .prompt import Message, Turn, conversation, fenced, repair
from .reply import ReplyError, read_reply
from .transcript import Reply, Transcript

MOST_SKIPPED = 5
"""Turns in a row without a candidate, after which the search ends."""

FEEDBACK = ("true", "shuffled")
OPERATIONS = ("named", "anonymous")
_QUOTED = 500  # characters of a reply without a candidate that stay in the conversation


class LanguageModelSearch:
    """Asks a language model for the next candidate, and tells it the loss.

    After GENIUS (Zheng et al. 2023, arXiv 2304.10970): the space is described once, then every
    turn names a candidate and is answered with one number, the first loss. A reply must give
    exactly one candidate that was not asked before (``read_reply``); up to ``repairs`` times a
    turn it is told what was wrong, then the turn is skipped, and so is one whose server does not
    answer after ``retries`` more tries of ``timeout`` seconds. Skipped turns count among
    ``evaluations``; after ``MOST_SKIPPED`` in a row the search ends with a warning.

    Two controls. ``feedback="shuffled"``: before each turn the losses told so far are dealt to the
    candidates in a random order, so that a model that does as well does not optimise, it knows.
    ``operations="anonymous"``: the space is described without what its operations are.

    The server is any with the OpenAI chat API below ``base_url``. Its key is read from the
    environment variable ``key_variable`` and written nowhere. ``transcript`` is a file of all
    questions and replies: those that it holds are not asked again, so a killed search goes on
    where it was; without one the server is asked anew, and may reply otherwise. ``temperature``
    None leaves it to the server. UsageError for options that do not exist; ModelError for a
    request that the server refuses.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        evaluations: int | None = None,
        *,
        base_url: str,
        model: str,
        temperature: float | None = 0.0,
        feedback: str = "true",
        operations: str = "named",
        timeout: float = 60.0,
        retries: int = 4,
        repairs: int = 3,
        transcript: Path | None = None,
        key_variable: str = "OPENAI_API_KEY",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        for flag, value, known in (
            ("feedback", feedback, FEEDBACK),
            ("operations", operations, OPERATIONS),
        ):
            if value not in known:
                raise UsageError(
                    f"no such choice: {value!r}", where=flag, cure=did_you_mean(value, known)
                )
        for flag, number, least in (
            ("timeout", timeout, 1e-3),
            ("retries", retries, 0),
            ("repairs", repairs, 0),
            ("temperature", 0 if temperature is None else temperature, 0),
        ):
            if not least <= number < float("inf"):
                raise UsageError(f"{number} is out of range", where=flag, cure=f"at least {least}")
        self.space = space
        self._seed = seed
        self._evaluations = evaluations
        self._fixed: dict[str, Any] = {"model": model, "seed": seed}
        if temperature is not None:
            self._fixed["temperature"] = temperature
        self._shuffled = feedback == "shuffled"
        self._anonymous = operations == "anonymous"
        self._repairs = repairs
        self._connection = Connection(base_url, key_variable, timeout, retries, sleep)
        self._transcript = Transcript(transcript)
        self._turns: list[Turn] = []
        self._open: dict[str, Turn] = {}  # candidates without an answer
        self._named: set[str] = set()
        self._asked = 0  # turns, with the skipped ones
        self._skipped = 0  # in a row

    def ask(self) -> Trial | None:
        """The model's next candidate; None at the end of the turns or of patience."""
        while self._skipped < MOST_SKIPPED:
            if self._evaluations is not None and self._asked >= self._evaluations:
                return None
            self._asked += 1
            candidate = self._turn()
            if candidate is not None:
                self._skipped = 0
                self._name(candidate)
                return Trial(candidate)
            self._skipped += 1
            if self._skipped == MOST_SKIPPED:
                warnings.warn(
                    f"strategy llm: {MOST_SKIPPED} turns in a row without a candidate; it ends",
                    stacklevel=2,
                )
        return None

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """Answer a candidate; one that was never asked joins the conversation."""
        if trial.candidate not in self._open:
            self._name(trial.candidate)
        self._open.pop(trial.candidate).loss = estimate.losses[0]

    def _name(self, candidate: str) -> None:
        turn = Turn(fenced(candidate))
        self._turns.append(turn)
        self._open[candidate] = turn
        self._named.add(candidate)

    def _turn(self) -> str | None:
        """A new candidate; None for a turn that is skipped."""
        asked = conversation(self.space, self._shown(), self._evaluations, self._anonymous)
        bad: list[Turn] = []
        repairs: list[Message] = []
        for _ in range(self._repairs + 1):
            reply = self._request(asked + repairs)
            if reply.content is None:
                return None
            fault = "was cut off"
            if not reply.truncated:
                try:
                    return self._new(reply.content)
                except DataError as error:
                    fault = self._fault(error)
            repairs += repair(reply.content[-_QUOTED:], fault, reply.truncated)
            bad.append(Turn(repairs[-2]["content"], fault=f"No candidate: {fault}."))
        # At temperature 0 the same question has the same reply: what went wrong stays in sight.
        self._turns += bad
        return None

    def _new(self, reply: str) -> str:
        candidate = read_reply(reply, self.space)
        if candidate in self._named:
            raise ReplyError("was named before", where=candidate, cure="name another candidate")
        return candidate

    def _fault(self, error: DataError) -> str:
        """What was wrong. A space's own errors name operations, which an anonymous one must not."""
        if self._anonymous and not isinstance(error, ReplyError):
            return f"{error.where}: this cannot be read"
        return str(error)

    def _shown(self) -> list[Turn]:
        """The turns so far; where feedback is shuffled, their known losses in a random order."""
        if not self._shuffled:
            return self._turns
        known = [turn.loss for turn in self._turns if turn.loss is not None]
        random.Random(f"{self._seed}/{len(known)}").shuffle(known)
        dealt = iter(known)
        return [
            turn if turn.loss is None else replace(turn, loss=next(dealt)) for turn in self._turns
        ]

    def _request(self, messages: list[Message]) -> Reply:
        sent = self._fixed | {"messages": messages}
        recorded = self._transcript.replay(sent)
        if recorded is not None:
            return recorded
        reply = self._connection.ask(sent)
        self._transcript.record(sent, reply)
        return reply
