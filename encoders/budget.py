"""What a training may cost: steps, words or time, in one word (``4000steps``, ``1h30m``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..core.errors import UsageError, did_you_mean

Unit = Literal["steps", "words", "seconds"]

_SECONDS = {"h": 3600, "m": 60, "s": 1}
_MULTIPLES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_UNITS: dict[str, tuple[Unit, int]] = {
    **{unit: ("seconds", seconds) for unit, seconds in _SECONDS.items()},
    **{f"{prefix}steps": ("steps", factor) for prefix, factor in _MULTIPLES.items()},
    **{f"{prefix}words": ("words", factor) for prefix, factor in _MULTIPLES.items()},
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([^\W\d_]*)\s*")
_EXAMPLES = "such as 4000steps, 10Mwords, 20m or 1h30m"


@dataclass(frozen=True)
class Budget:
    """A number of steps, of words, or of seconds that are spent in steps."""

    amount: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Budget:
        """``4000steps``, ``10Mwords`` (k, M, G), ``20m``, ``1h30m`` or ``90s``.

        Raises UsageError for anything else.
        """
        parts = _PART.findall(text)
        if not parts or _PART.sub("", text).strip():
            raise _error(f"{text!r} is no budget", _EXAMPLES)
        for number, unit in parts:
            if not unit:
                near = ", ".join(f"{number}{known}" for known in ("steps", "words", "m"))
                raise _error(f"{number} of what?", f"did you mean {near}?")
            if unit not in _UNITS:
                raise _error(f"no such unit: {unit!r}", did_you_mean(unit, _UNITS))
        kinds = [_UNITS[unit][0] for _, unit in parts]
        names = [unit for _, unit in parts]
        if len(parts) > 1 and (set(kinds) != {"seconds"} or names != _in_order(names)):
            raise _error(f"{text!r} adds up no times", _EXAMPLES)
        amount = round(sum(float(number) * _UNITS[unit][1] for number, unit in parts))
        if amount < 1:
            raise _error(f"{text!r} is nothing", _EXAMPLES)
        return cls(amount, kinds[0])

    def __str__(self) -> str:
        """A text that ``parse`` reads as this."""
        if self.unit == "seconds":
            hours, rest = divmod(self.amount, 3600)
            parts = zip((hours, *divmod(rest, 60)), _SECONDS, strict=True)
            return "".join(f"{number}{unit}" for number, unit in parts if number)
        prefix = ""
        if self.unit == "words":
            prefix = [p for p, factor in _MULTIPLES.items() if self.amount % factor == 0][-1]
        return f"{self.amount // _MULTIPLES[prefix]}{prefix}{self.unit}"

    def total(self, words_a_step: int) -> int:
        """How many steps the budget allows, the last one begun; seconds are left as they are."""
        return -(-self.amount // words_a_step) if self.unit == "words" else self.amount

    def spent(self, step: int, seconds: float) -> float:
        """What of ``total`` is spent after so many steps and seconds."""
        return seconds if self.unit == "seconds" else step


def _in_order(units: list[str]) -> list[str]:
    """The units from large to small, each once."""
    return sorted(set(units), key=lambda unit: -_UNITS[unit][1])


def _error(what: str, cure: str) -> UsageError:
    return UsageError(what, where="--budget", cure=cure)
