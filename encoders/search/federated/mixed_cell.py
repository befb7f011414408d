"""A small cell whose edges mix operations, and the cell that is left when each takes its best.

(Liu et al. 2019, arXiv 1806.09055, section 2: a mixed operation is a sum weighed by a softmax over
architecture logits.) Operations are cells of the search space, so that what is derived is one too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...bilm import BiLMSettings, initialise
from ...cell_execution import CellLayer
from ...character_cnn import CharacterSettings
from ...language_model import LanguageModel
from ..space.canonical import canonical
from ..space.grammar import Cell, Node, Ref, parse
from ..space.operations import parse_operation
from ..space.validity import check

OPERATIONS = {
    "skip": None,
    "tanh": "c1/L:0/t:1=2",
    "convolution": "c1/K3:0/K3:0/s:2/m:1,3=4",
    "depthwise": "c1/D5:0/L:1/t:2=3",
    "recurrence": "c1/L:0/s:1/L:0/b:2,3,@4=4",
}
"""What an edge can be; a skip gives its input."""

NODES = 2
EDGES = tuple((into, source) for into in range(1, NODES + 1) for source in range(into))
"""Each node reads all before it; node 0 is the input and the last one the output."""

SMALL = CharacterSettings(embedding=8, filters=((1, 8), (2, 16), (3, 32)), longest=20)
"""A character CNN for models of few parameters, which noise hurts less."""


class MixedLayer(nn.Module):
    """From (batch, time, dim) to that shape; ``logits``, (edges, operations), are not its own."""

    def __init__(self, dim: int, logits: nn.Parameter) -> None:
        super().__init__()
        self.logits = logits
        self.edges = nn.ModuleList(
            nn.ModuleList(
                nn.Identity() if text is None else CellLayer(parse(text), dim)
                for text in OPERATIONS.values()
            )
            for _ in EDGES
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        weights = self.logits.softmax(dim=1)  # (edges, operations)
        nodes = [x]
        place = 0
        for into in range(1, NODES + 1):
            total = torch.zeros_like(x)
            for source in range(into):
                edge = self.edges[place]
                assert isinstance(edge, nn.ModuleList)
                for number, operation in enumerate(edge):
                    total = total + weights[place, number] * operation(nodes[source])
                place += 1
            nodes.append(total)
        normed: Tensor = self.norm(nodes[-1])
        return normed


class MixedStack(nn.Module):
    """The layers of one direction."""

    def __init__(self, dim: int, layers: int, logits: nn.Parameter) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(MixedLayer(dim, logits) for _ in range(layers))

    def forward(self, words: Tensor) -> list[Tensor]:
        x = words  # (batch, time, dim)
        outputs = []
        for block in self.blocks:
            x = block(x)  # (batch, time, dim)
            outputs.append(x)
        return outputs


def derive(logits: Tensor) -> str:
    """The text of the cell in which each edge is the operation of its largest logit.

    ``logits`` has the shape (edges, operations). The cell is canonical and valid.
    """
    written: list[Node] = []
    chosen = [tuple(OPERATIONS.values())[int(best)] for best in logits.argmax(dim=1)]
    values = [0]  # which node of the cell each node of the graph is
    for into in range(1, NODES + 1):
        parts = [
            _splice(text, values[source], written)
            for (target, source), text in zip(EDGES, chosen, strict=True)
            if target == into
        ]
        if len(parts) > 1:
            written.append(Node(parse_operation("a", "derived cell"), tuple(map(Ref, parts))))
        values.append(len(written) if len(parts) > 1 else parts[0])
    written.append(Node(parse_operation("n", "derived cell"), (Ref(values[-1]),)))
    cell = canonical(Cell(tuple(written), len(written)))
    check(cell)
    return str(cell)


def _splice(text: str | None, source: int, written: list[Node]) -> int:
    """Add a cell's nodes to those that are written, reading ``source``; which one is its output."""
    if text is None:
        return source
    cell, before = parse(text), len(written)

    def moved(ref: Ref) -> Ref:
        return Ref(ref.node + before if ref.node else source, ref.delayed)

    written.extend(Node(node.operation, tuple(map(moved, node.inputs))) for node in cell.nodes)
    return cell.out + before


def language_model(
    vocabulary: int, dim: int, layers: int, window: int, seed: int, cell: str | None = None
) -> LanguageModel:
    """A biLM of a cell, or of the mixed one, whose logits are its parameter ``logits``.

    Equal logits are 0. The weights depend on the seed alone; the global generator is left as it
    was. Raises ModelError for a cell that cannot be run at this width.
    """
    settings = BiLMSettings(
        architecture="cell",
        stack={"dim": dim, "layers": layers, "cell": cell or "c1/n:0=1"},
        characters=SMALL,
        window=window,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LanguageModel(settings, vocabulary)
        if cell is None:
            logits = nn.Parameter(torch.zeros(len(EDGES), len(OPERATIONS)))
            model.register_parameter("logits", logits)
            # One set of logits for both directions and all layers: one cell is searched.
            for direction in ("forward_stack", "backward_stack"):
                stack = MixedStack(dim, layers, logits)
                initialise(stack)
                setattr(model.bilm, direction, stack)
    return model
