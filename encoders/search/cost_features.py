"""What a cost is made of: counts that can be told of a description, before anything is run.

All are at least 0 and add up over layers, so that a cost may be a sum of them (``cost_model``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from .space.grammar import Cell, Node, Ref
from .space.schedule import Stage, Way, is_within, schedule
from .space.widths import parameters, squeezed, widths

Features = dict[str, float]

MULTIPLICATIONS, WEIGHTS, DEPTH = "multiplications", "weights", "serial depth"
"""The names by which a cost model's rivals find their one count."""

_ATTENTION_WIDTH = 512  # of queries, keys and values in HAT's space, whatever the layer's width


class Shape(NamedTuple):
    """The stack that a cell stands in, and what goes through it.

    ``layers`` in each of ``directions``, of ``dim`` channels; ``batch`` texts of ``length`` words.
    """

    dim: int = 128
    layers: int = 2
    length: int = 128
    batch: int = 1
    threads: int = 1
    directions: int = 2


def cell_features(cell: Cell, shape: Shape) -> Features:
    """The counts of one pass through a stack of the cell; dead nodes count, for they are computed.

    Calls by the operation's letter, over all words at once and in loops word by word; the inputs
    of calls that take several; steps, states and scans; ``multiplications`` of matrices,
    convolutions and attention (half the FLOPs), in all, in loops, and for each thread; ``values``
    that are written, in numbers (4 bytes each); ``weights``; and ``serial depth``, the calls that
    wait for one another (``serial_depth``). DataError for a cell that cannot have that width.
    """
    known = widths(cell, shape.dim)
    words = shape.batch * shape.length
    counts: Counter[str] = Counter()
    for stage in schedule(cell):
        in_steps = stage.way is Way.STEPS
        counts["loops"] += in_steps
        counts["scan passes"] += _doublings(shape.length) * (stage.way is Way.SCAN)
        counts["states"] += shape.length * len(_states(cell, stage)) * in_steps
        counts["scanned values"] += (
            words * known[stage.state] * _doublings(shape.length) * (stage.way is Way.SCAN)
        )
        for number in stage.nodes:
            node = cell.nodes[number - 1]
            letter = node.operation.letter
            reads = [known[ref.node] for ref in node.inputs]
            products = words * _products(node, reads, known[number], shape.length)
            times = shape.length if in_steps else 1
            counts[f"{'steps' if in_steps else 'calls'} of {letter}"] += times
            if len(reads) > 1:
                counts[f"{'step ' if in_steps else ''}inputs of {letter}"] += times * len(reads)
            counts[MULTIPLICATIONS] += products
            counts[f"{MULTIPLICATIONS} in loops"] += products * in_steps
            counts["values"] += words * known[number]
    counts["delayed reads"] = len(
        {ref for node in cell.nodes for ref in node.inputs if ref.delayed}
    )
    counts[DEPTH] = serial_depth(cell, shape.length)
    counts[WEIGHTS] = parameters(cell, shape.dim)
    stacks = shape.layers * shape.directions
    features = {name: float(stacks * count) for name, count in counts.items() if count}
    for name in (MULTIPLICATIONS, "values"):
        if name in features:
            features[f"{name} a thread"] = features[name] / shape.threads
    return features


def serial_depth(cell: Cell, length: int) -> int:
    """The longest chain of calls that wait for one another, in one layer over ``length`` words.

    A call over all words is 1, a scan is 1 and its passes, and a loop is unrolled: each of its
    nodes is a call for each word, after what it reads there and in the word before.
    """
    depth = dict.fromkeys(range(len(cell.nodes) + 1), 0)
    for stage in schedule(cell):
        inputs = [ref for number in stage.nodes for ref in cell.nodes[number - 1].inputs]
        outside = [depth[ref.node] for ref in inputs if not is_within(ref, stage.nodes)]
        before = max(outside, default=0)
        if stage.way is Way.STEPS:
            depth.update(_unrolled(cell, stage, length, before))
        else:
            passes = _doublings(length) if stage.way is Way.SCAN else 0
            depth.update(dict.fromkeys(stage.nodes, before + 1 + passes))
    return max(depth.values())


def transformer_features(row: Mapping[str, float], words: int = 30) -> Features:
    """The counts of a row of HAT's latency tables (Wang et al. 2020, arXiv 2005.14187, 3).

    ``row`` has an encoder's and a decoder's width, depth, mean feed-forward width and mean number
    of heads, and over how many encoder layers the decoder looks on average. The sentences' length
    is not in the tables: ``words`` stands for it, on both sides. Embeddings do not count.
    """
    of = {name: float(row[name]) for name in HAT_COLUMNS}
    wide, deep = of["encoder_embed_dim"], of["encoder_layer_num"]
    width, layers = of["decoder_embed_dim"], of["decoder_layer_num"]
    seen = of["decoder_arbitrary_ende_attn_avg"]
    inner, outer = of["encoder_ffn_embed_dim_avg"], of["decoder_ffn_embed_dim_avg"]
    encoder = deep * (4 * wide * _ATTENTION_WIDTH + 2 * wide * inner)
    own = layers * (6 * width * _ATTENTION_WIDTH + 2 * width * outer)
    keys = layers * 2 * wide * _ATTENTION_WIDTH
    scores = 2 * words * _ATTENTION_WIDTH * (deep + layers * (1 + seen))  # a word
    return {
        MULTIPLICATIONS: words * (encoder + own + seen * keys + scores),
        WEIGHTS: encoder + own + keys,
        DEPTH: deep + words * layers,
        "encoder multiplications": words * encoder,
        "decoder multiplications": words * own,
        "encoder width": wide,
        "encoder heads": deep * of["encoder_self_attention_heads_avg"],
        "encoder inner width": deep * inner,
        "decoder width": width,
        "decoder layers": layers,
        "decoder widths": layers * width,
        "decoder inner widths": layers * outer,
        "decoder heads": layers * of["decoder_self_attention_heads_avg"],
        "heads between": layers * of["decoder_ende_attention_heads_avg"],
        "layers seen": layers * seen,
        "widths seen": layers * seen * wide,
        # Means, which trees split on as they are.
        "mean decoder inner width": outer,
        "mean decoder heads": of["decoder_self_attention_heads_avg"],
        "mean heads between": of["decoder_ende_attention_heads_avg"],
        "mean layers seen": seen,
    }


def encoder_features(
    name: str, *, layer: int, batch: int, length: int, threads: int, device: str
) -> Features:
    """The counts of what `probe time` measures: a named encoder up to ``layer``, on a device.

    Nothing of its inside is known: what a layer, a word, a step and a pair of words cost is learnt
    for each encoder on each device. ``batch`` texts of ``length`` words.
    """
    words = batch * length / threads
    counts = {
        "input": 1.0,
        "input words": words,
        "layers": float(layer),
        "layer words": layer * words,
        "layer steps": float(layer * length),
        "layer pairs of words": layer * words * length,
    }
    return {f"{name}, {device}, {count}": value for count, value in counts.items() if value}


HAT_COLUMNS = (
    *("encoder_embed_dim", "encoder_layer_num", "encoder_ffn_embed_dim_avg"),
    *("encoder_self_attention_heads_avg", "decoder_embed_dim", "decoder_layer_num"),
    *("decoder_ffn_embed_dim_avg", "decoder_self_attention_heads_avg"),
    *("decoder_ende_attention_heads_avg", "decoder_arbitrary_ende_attn_avg"),
)
"""What HAT's tables tell of a transformer."""


def _products(node: Node, reads: list[int], width: int, length: int) -> int:
    """The multiplications of a node for each word, as far as they are of more than one channel."""
    letter, size, _ = node.operation
    match letter:
        case "L":
            return width * sum(reads)
        case "K":
            return size * width**2
        case "D" | "Y":
            return size * width
        case "A":
            # All words of the text are scored, whatever may be seen of them.
            return 4 * width**2 + 2 * width * length
        case "E":
            return 2 * width * squeezed(width)
        case "G":
            return width * (width // size)
    return 0


def _states(cell: Cell, stage: Stage) -> set[Ref]:
    return {
        ref
        for number in stage.nodes
        for ref in cell.nodes[number - 1].inputs
        if ref.delayed and is_within(ref, stage.nodes)
    }


def _unrolled(cell: Cell, stage: Stage, length: int, before: int) -> dict[int, int]:
    """How deep each node of a loop is at the last word."""
    now = dict.fromkeys(stage.nodes, 0)
    for _ in range(length):
        past, now = now, {}
        for number in stage.nodes:  # ascending: what is read within a word has a lower number
            reads = [
                (past if ref.delayed else now)[ref.node]
                for ref in cell.nodes[number - 1].inputs
                if is_within(ref, stage.nodes)
            ]
            now[number] = 1 + max(before, *reads)
    return now


def _doublings(length: int) -> int:
    return (length - 1).bit_length()
