"""The operations that a node of a cell can be, their letters, arguments and limits."""

from __future__ import annotations

import re
from typing import NamedTuple

from ....core.errors import DataError

MOST_INPUTS = 8


class Argument(NamedTuple):
    """A whole number after a letter, from ``least`` to ``most``; 0 stands for none written."""

    letter: str
    least: int
    most: int
    required: bool

    @property
    def told(self) -> str:
        """How it is written, for an error."""
        return f"{self.letter}{self.least} to {self.letter}{self.most}"


class Kind(NamedTuple):
    """What an operation's letter stands for.

    ``fewest`` and ``most`` count inputs. The order of the inputs matters only where ``ordered``.
    A kind with ``reach`` reads more than the present word, and may not stand in a delay loop.
    """

    title: str
    fewest: int = 1
    most: int = 1
    arguments: tuple[Argument, ...] = ()
    ordered: bool = False
    reach: bool = False

    @property
    def inputs(self) -> str:
        """How many inputs it takes, for an error."""
        few = str(self.fewest)
        return few if self.fewest == self.most else f"{few} to {self.most}"


def _kernel(letter: str) -> Argument:
    return Argument(letter, 2, 31, required=True)


KINDS: dict[str, Kind] = {
    "L": Kind("linear map", 1, MOST_INPUTS, (Argument("L", 2, 8, required=False),)),
    "t": Kind("tanh"),
    "s": Kind("sigmoid"),
    "u": Kind("leaky ReLU"),
    "r": Kind("ReLU"),
    "g": Kind("GELU"),
    "q": Kind("squared ReLU"),
    "a": Kind("sum", 2, MOST_INPUTS),
    "m": Kind("product", 2, MOST_INPUTS),
    "b": Kind("blend", 3, 3, ordered=True),
    "n": Kind("layer norm"),
    "K": Kind(
        "dense convolution",
        arguments=(_kernel("K"), Argument("d", 2, 64, required=False)),
        reach=True,
    ),
    "D": Kind("depthwise convolution", arguments=(_kernel("D"),), reach=True),
    "Y": Kind("lightweight convolution", arguments=(_kernel("Y"),), reach=True),
    "A": Kind(
        "self-attention",
        arguments=(Argument("A", 1, 32, required=True), Argument("w", 2, 1024, required=False)),
        reach=True,
    ),
    "E": Kind("squeeze and excitation", reach=True),
    "G": Kind("grouped linear map", arguments=(Argument("G", 2, 32, required=True),)),
}

_WRITTEN = re.compile(r"([A-Za-z])([0-9]*)(?:([a-z])([0-9]+))?")


class Operation(NamedTuple):
    """A kind with its arguments, such as ``K5d2``.

    ``number`` is the width of ``L`` in states, the kernel of ``K``, ``D`` and ``Y`` in words, the
    heads of ``A``, the groups of ``G``; ``second`` the dilation of ``K``, the window of ``A`` in
    words, the present one included. 0 is an argument that is not written.
    """

    letter: str
    number: int = 0
    second: int = 0

    @property
    def kind(self) -> Kind:
        """What the letter stands for."""
        return KINDS[self.letter]

    def __str__(self) -> str:
        text = f"{self.letter}{self.number or ''}"
        return f"{text}{self.kind.arguments[1].letter}{self.second}" if self.second else text


def parse_operation(text: str, where: str) -> Operation:
    """The operation that is written; each has one writing. DataError that names ``where``."""
    match = _WRITTEN.fullmatch(text)
    letter = match[1] if match else text[:1]
    if match is None or letter not in KINDS:
        raise DataError(
            f"no such operation: {text[:20]!r}",
            where=where,
            cure="one of "
            + ", ".join(f"{letter} ({kind.title})" for letter, kind in KINDS.items()),
        )
    arguments = KINDS[letter].arguments
    numbers = [0, 0]
    for place, (name, digits) in enumerate([(letter, match[2]), (match[3], match[4])]):
        argument = arguments[place] if place < len(arguments) else None
        if argument is None:
            if digits:
                raise DataError(f"{letter} takes no {name}{digits[:9]}", where=where)
        elif digits:
            # A leading zero would be a second writing of the same operation.
            if name != argument.letter or digits[0] == "0" or len(digits) > 4:
                raise DataError(f"not {argument.told}: {text[:20]!r}", where=where)
            numbers[place] = int(digits)
            if not argument.least <= numbers[place] <= argument.most:
                raise DataError(
                    f"{name}{digits} is out of range",
                    where=where,
                    cure=f"take {argument.told}"
                    + ("" if argument.required else f", or no {name if place else 'number'}"),
                )
        elif argument.required:
            raise DataError(f"{letter} needs a number", where=where, cure=f"take {argument.told}")
    return Operation(letter, *numbers)
