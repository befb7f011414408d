"""What a language model is told: the space and the task, one number a turn, what a reply lacks.

After GENIUS (Zheng et al. 2023, arXiv 2304.10970, section 3): the operations and the way to write
a candidate first, then a turn for each query, with one number fed back. The words are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..protocols import SearchSpace

Message = dict[str, str]
"""``role`` (system, user or assistant) and ``content``, as the chat API has it."""

SYSTEM = (
    "You search for an architecture with as low a loss as possible. Every turn you name one "
    "candidate; it is then measured and you are told its loss, one number."
)
_FORM = (
    "Think of what each operation adds and of how gradients flow back through it, briefly. Then "
    "end your reply with one candidate, complete and alone in a fenced block:\n"
    "```\ncandidate\n```\n"
    "Name no other candidate in your reply, and none that was named before."
)
_BETTER = "Name another candidate, with a lower loss than all before."
_SHORTER = (
    "The reply was cut off before its end. Reply with the fenced block alone, without a thought."
)


@dataclass
class Turn:
    """A reply that stays in the conversation, and what answers it.

    ``loss`` is None while it is not known, and for a reply without a candidate, of which
    ``fault`` says what was wrong.
    """

    reply: str
    loss: float | None = None
    fault: str = ""


def conversation(
    space: SearchSpace, turns: Sequence[Turn], evaluations: int | None, anonymous: bool
) -> list[Message]:
    """The messages that ask for the next candidate."""
    many = f"You have {evaluations} turns in all.\n\n" if evaluations else ""
    messages = [
        {"role": "system", "content": SYSTEM},
        {
            "role": "user",
            "content": f"{space.describe(anonymous)}\n\n{many}{_FORM}\n\nName the first candidate.",
        },
    ]
    for turn in turns:
        messages += [
            {"role": "assistant", "content": turn.reply},
            {"role": "user", "content": f"{turn.fault or _told(turn.loss)} {_BETTER}"},
        ]
    return messages


def fenced(candidate: str) -> str:
    """A candidate as a reply that gives nothing else."""
    return f"```\n{candidate}\n```"


def repair(reply: str, fault: str, truncated: bool) -> list[Message]:
    """What follows a reply that gives no candidate: the reply, and what is wrong with it."""
    # Some servers refuse an empty message.
    return [
        {"role": "assistant", "content": reply or "(nothing)"},
        {"role": "user", "content": _SHORTER if truncated else fault},
    ]


def _told(loss: float | None) -> str:
    if loss is None:
        return "Its loss is not known yet."
    if not math.isfinite(loss):
        return "Its loss could not be had: it failed."
    return f"Its loss is {loss:.6g}."
