"""Cells told to a reader who does not know them: the operations, the grammar, an example."""

from __future__ import annotations

from collections.abc import Iterable

from .space.grammar import VERSION
from .space.operations import Operation, parse_operation


def describe_cells(
    operations: Iterable[str],
    fewest: int,
    most: int,
    most_inputs: int,
    example: str,
    anonymous: bool = False,
) -> str:
    """The cells of these operations, of ``fewest`` to ``most`` nodes; lines for a language model.

    ``anonymous`` tells of each operation its sign, its number of inputs and whether it may stand on
    a loop: what is needed to write a cell that can be read, and no more.
    """
    known = [parse_operation(text, "space") for text in sorted(set(operations))]
    lines = [
        "A candidate is a graph of nodes."
        if anonymous
        else "A candidate is a cell: a graph of operations over a sequence of words, causal, one "
        "layer of a recurrent, convolutional or attentive language model.",
        f"It is written {VERSION}/NODE/NODE/...=OUT, with {fewest} to {most} nodes, which are "
        "numbered 1, 2, 3, ... as they stand; OUT is the number of the node that is the output.",
        "A NODE is OPERATION:INPUT,INPUT,... An INPUT is k or @k.",
        "k is a number less than that of the node itself; @k may be any node, the same or a later "
        "one included. 0 is what the graph is given."
        if anonymous
        else "k is the value of node k at the present word, and must be less than the number of "
        "the node itself; @k is the value of any node k one word earlier (zeros before the first "
        "word): recurrence is written so. 0 is the input of the layer.",
        "No two inputs of a node are the same, every node must reach OUT, and OUT must depend "
        "on 0.",
        "The operations:",
        *(_told(operation, most_inputs, anonymous) for operation in known),
    ]
    reaching = [str(operation) for operation in known if operation.kind.reach]
    if reaching:
        lines.append(
            f"On a loop (a node that depends on itself through @) none of these may stand: "
            f"{', '.join(reaching)}."
        )
    lines.append(f"An example: {example}")
    return "\n".join(lines)


def _told(operation: Operation, most_inputs: int, anonymous: bool) -> str:
    fewest = operation.kind.fewest
    most = max(min(operation.kind.most, most_inputs), fewest)
    count = str(fewest) if fewest == most else f"{fewest} to {most}"
    inputs = f"{count} input{'s' if count != '1' else ''}"
    return (
        f"{operation}: {inputs}" if anonymous else f"{operation}: {_meaning(operation)}, {inputs}"
    )


def _meaning(operation: Operation) -> str:
    letter, number, second = operation
    title = operation.kind.title
    match letter:
        case "L":
            width = f" to {number} times the width" if number else ""
            return f"{title}{width}, one matrix for each input, summed, with a bias"
        case "b":
            return f"{title}, z*p + (1-z)*q of its inputs z,p,q in this order"
        case "K" | "D" | "Y":
            apart = f", {second} words apart" if second else ""
            return f"{title} over the last {number} words{apart}"
        case "A":
            reach = f"the last {second} words" if second else "all words so far"
            return f"{title} over {reach} with {number} head{'s' if number > 1 else ''}"
        case "E":
            return f"{title}, gates from the mean of all words so far"
        case "G":
            return f"{title} of {number} groups of channels"
    return title
