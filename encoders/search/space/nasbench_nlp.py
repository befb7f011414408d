"""The recipes of NAS-Bench-NLP (Klyuchnikov et al. 2020, arXiv 2006.07116) as cells."""

from __future__ import annotations

import json
from typing import Any

from ....core.errors import DataError
from .grammar import Cell, Node, Ref
from .operations import Operation
from .validity import check_form

_LETTERS = {
    "linear": "L",
    "activation_tanh": "t",
    "activation_sigm": "s",
    "activation_leaky_relu": "u",
    "elementwise_prod": "m",
    "elementwise_sum": "a",
    "blend": "b",
}
_INPUT, _BEFORE, _NEW = "x", "h_prev_", "h_new_"


def read_recipe(text: str) -> Cell:
    """The cell of a recipe in the benchmark's JSON, nodes that never reach its output included.

    ``h_prev_2`` is ``h_new_2`` one word earlier, and the output is ``h_new_0``. Five published
    recipes give an output that no word reaches, so ``validity.check`` is not asked. DataError names
    the node that cannot be read.
    """
    try:
        recipe = json.loads(text)
    except ValueError as error:
        raise DataError(f"not JSON: {error}", where="recipe") from error
    if not isinstance(recipe, dict) or f"{_NEW}0" not in recipe:
        raise DataError(f"has no node {_NEW}0", where="recipe", cure="its output has that name")
    numbers: dict[str, int] = {_INPUT: 0}
    for name in _in_order(recipe):
        numbers[name] = len(numbers)
    nodes = []
    for name in sorted(recipe, key=numbers.__getitem__):
        operation, inputs = recipe[name]["op"], recipe[name]["input"]
        if operation not in _LETTERS:
            raise DataError(
                f"no such operation: {operation!r}",
                where=f"recipe, node {name}",
                cure="one of " + ", ".join(_LETTERS),
            )
        references = tuple(Ref(numbers[_source(source)], _is_delayed(source)) for source in inputs)
        nodes.append(Node(Operation(_LETTERS[operation]), references))
    cell = Cell(tuple(nodes), numbers[f"{_NEW}0"])
    check_form(cell)
    return cell


def _is_delayed(source: str) -> bool:
    return source.startswith(_BEFORE)


def _source(source: str) -> str:
    """The name of the node that is read, now or one word earlier."""
    return _NEW + source.removeprefix(_BEFORE) if _is_delayed(source) else source


def _in_order(recipe: dict[str, Any]) -> list[str]:
    """The names of the nodes, each after those that it reads without a delay."""
    order: list[str] = []
    waiting = list(recipe)
    for name, node in recipe.items():
        if not isinstance(node, dict) or not isinstance(node.get("op"), str):
            raise DataError("has no operation", where=f"recipe, node {name}")
        inputs = node.get("input")
        if not isinstance(inputs, list) or not all(isinstance(each, str) for each in inputs):
            raise DataError("has no list of inputs", where=f"recipe, node {name}")
        for source in inputs:
            if source != _INPUT and _source(source) not in recipe:
                raise DataError(f"there is no node {source!r}", where=f"recipe, node {name}")
    while waiting:
        ready = [
            name
            for name in waiting
            if all(
                source == _INPUT or _is_delayed(source) or source in order
                for source in recipe[name]["input"]
            )
        ]
        if not ready:
            raise DataError(
                "waits for its own value", where=f"recipe, node {waiting[0]}", cure="read h_prev"
            )
        order += ready
        waiting = [name for name in waiting if name not in ready]
    return order
