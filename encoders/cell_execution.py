"""A cell of the search space as a module: one layer, from (batch, time, width) to that shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .cell_operations import FUNCTIONS, LinearMap, build, delay, product, total
from .search.space.grammar import Cell, Node, Ref
from .search.space.schedule import Stage, Way, is_within, schedule
from .search.space.validity import check_form
from .search.space.widths import widths

Values = dict[Ref, Tensor]
"""What has been computed: (batch, time, width) each, or (batch, width) within a step."""


class CellLayer(nn.Module):
    """One layer from (batch, time, ``input_dim``) to (batch, time, ``state_dim``), causal.

    Delay loops go word by word, linear ones as a scan, all else over all words at once; states are
    0 before the first word. Raises DataError for a cell that cannot be run at these widths.
    """

    def __init__(self, cell: Cell, state_dim: int, input_dim: int | None = None) -> None:
        super().__init__()
        check_form(cell)
        self.cell = cell
        self._widths = widths(cell, state_dim, input_dim)
        self._stages = schedule(cell)
        self.nodes = nn.ModuleDict()
        for number, node in cell.numbered():
            reads = [self._widths[ref.node] for ref in node.inputs]
            module = build(node.operation, reads, self._widths[number])
            if module is not None:
                self.nodes[str(number)] = module

    def forward(self, x: Tensor) -> Tensor:
        return self.values(x)[Ref(self.cell.out)]

    def values(self, x: Tensor) -> Values:
        """What each node gives, (batch, time, width); 0 is the input."""
        values: Values = {Ref(0): x}
        for stage in self._stages:
            if stage.way is Way.PARALLEL:
                self._compute(stage.nodes[0], values)
            elif stage.way is Way.SCAN:
                self._scan(stage, values)
            else:
                self._step(stage, values)
        return values

    def operation(self, number: int) -> Callable[..., Tensor]:
        """What a node does with its inputs."""
        if str(number) in self.nodes:
            return self.nodes[str(number)]
        return FUNCTIONS[self.cell.nodes[number - 1].operation.letter]

    def _compute(self, number: int, values: Values) -> None:
        node = self.cell.nodes[number - 1]
        values[Ref(number)] = self.operation(number)(*(_read(ref, values) for ref in node.inputs))

    def _scan(self, stage: Stage, values: Values) -> None:
        """A loop in which every node is a * state before + b, in each channel."""
        x = values[Ref(0)]
        affine = {Ref(stage.state, delayed=True): Affine(x.new_zeros(()), x.new_ones(()))}
        for number in stage.nodes:
            node = self.cell.nodes[number - 1]
            inputs = [
                affine[ref] if is_within(ref, stage.nodes) else Affine(_read(ref, values))
                for ref in node.inputs
            ]
            affine[Ref(number)] = _affine(node, inputs)
        addend, factor = affine[Ref(stage.state)]
        assert factor is not None
        shape = (*x.shape[:2], self._widths[stage.state])
        values[Ref(stage.state)] = linear_recurrence(factor.expand(shape), addend.expand(shape))
        for number in stage.nodes:
            if number != stage.state:
                self._compute(number, values)

    def _step(self, stage: Stage, values: Values) -> None:
        """A loop, word by word. What comes from outside is computed for all words before."""
        batch, time = values[Ref(0)].shape[:2]
        nodes = {number: self.cell.nodes[number - 1] for number in stage.nodes}
        linear: dict[int, _SplitMap] = {}
        for number, node in nodes.items():
            module = self.operation(number)
            if isinstance(module, LinearMap):
                linear[number] = _SplitMap(module, node, stage.nodes, values)
        outside = {
            ref: _read(ref, values).unbind(dim=1)
            for number, node in nodes.items()
            for ref in node.inputs
            if number not in linear and not is_within(ref, stage.nodes)
        }
        state: Values = {
            ref: values[Ref(0)].new_zeros(batch, self._widths[ref.node])
            for node in nodes.values()
            for ref in node.inputs
            if ref.delayed and is_within(ref, stage.nodes)
        }
        fused = _fuse(linear, state)
        history: dict[int, list[Tensor]] = {number: [] for number in stage.nodes}
        for t in range(time):
            now: Values = {ref: steps[t] for ref, steps in outside.items()} | state
            recurrent = {number: split.given[t] for number, split in linear.items()}
            for ref, (weight, users, sizes) in fused.items():
                parts = torch.split(state[ref] @ weight, sizes, dim=1)
                for number, part in zip(users, parts, strict=True):
                    recurrent[number] = recurrent[number] + part
            for number, node in nodes.items():
                if number in linear:
                    value = recurrent[number]
                    for ref, weight in linear[number].now:
                        value = value + now[ref] @ weight
                else:
                    value = self.operation(number)(*(now[ref] for ref in node.inputs))
                now[Ref(number)] = value
                history[number].append(value)
            state = {ref: now[Ref(ref.node)] for ref in state}
        for number, steps in history.items():
            values[Ref(number)] = torch.stack(steps, dim=1)


def _read(ref: Ref, values: Values) -> Tensor:
    """A value over all words, computed earlier or delayed now."""
    if ref not in values:
        values[ref] = delay(values[Ref(ref.node)])
    return values[ref]


class _SplitMap:
    """A linear map in a loop: the part from outside for each word, and the weights within."""

    def __init__(
        self, module: LinearMap, node: Node, loop: tuple[int, ...], values: Values
    ) -> None:
        first = values[Ref(0)]
        given = module.bias.expand(*first.shape[:2], -1)  # (batch, time, width)
        self.delayed: list[tuple[Ref, Tensor]] = []
        self.now: list[tuple[Ref, Tensor]] = []
        for place, ref in enumerate(node.inputs):
            if not is_within(ref, loop):
                given = given + module.maps[place](_read(ref, values))
            else:
                (self.delayed if ref.delayed else self.now).append((ref, module.weight(place).t()))
        self.given = given.unbind(dim=1)


class _Fused(NamedTuple):
    """The weights of all maps that read one state, side by side, and whose they are."""

    weight: Tensor
    users: list[int]
    sizes: list[int]


def _fuse(linear: dict[int, _SplitMap], state: Values) -> dict[Ref, _Fused]:
    """One product for each state that is read, in place of one for each map."""
    fused = {}
    for ref in state:
        users = [
            (number, weight)
            for number, split in linear.items()
            for read, weight in split.delayed
            if read == ref
        ]
        if users:
            weights = [weight for _, weight in users]
            fused[ref] = _Fused(
                torch.cat(weights, dim=1),
                [number for number, _ in users],
                [weight.shape[1] for weight in weights],
            )
    return fused


class Affine(NamedTuple):
    """``addend`` + ``factor`` * state before; without a factor it has no state in it."""

    addend: Tensor
    factor: Tensor | None = None


def _affine(node: Node, inputs: list[Affine]) -> Affine:
    """A node of a linear loop as a function of the state."""
    match node.operation.letter:
        case "a":
            return _sum(inputs)
        case "m":
            (moving,) = (each for each in inputs if each.factor is not None)
            return _scaled(moving, product(*(e.addend for e in inputs if e.factor is None)))
    gate, first, second = inputs
    return _sum([_scaled(first, gate.addend), _scaled(second, 1 - gate.addend)])


def _scaled(value: Affine, by: Tensor) -> Affine:
    return Affine(value.addend * by, None if value.factor is None else value.factor * by)


def _sum(inputs: list[Affine]) -> Affine:
    factors = [each.factor for each in inputs if each.factor is not None]
    return Affine(total(*(each.addend for each in inputs)), total(*factors) if factors else None)


def linear_recurrence(factor: Tensor, addend: Tensor) -> Tensor:
    """h_t = factor_t * h_{t-1} + addend_t with h = 0 before the first, all of (batch, time, width).

    Each pass joins runs of twice the length (Hillis and Steele 1986): no division, no logarithm,
    so that factors of any sign and size, 0 too, are exact to rounding.
    """
    time, reach = factor.shape[1], 1
    while reach < time:
        addend = addend + factor * delay(addend, reach)
        factor = factor * delay(factor, reach)
        reach *= 2
    return addend
