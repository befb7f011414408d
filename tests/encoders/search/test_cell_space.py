"""The open space of cells, its genes, and what a language model is told of it."""

from __future__ import annotations

import random

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.cell_space import SPACES, CellSpace, cell_space
from layerwise.encoders.search.space.aliases import ALIASES
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.operations import KINDS
from layerwise.encoders.search.space.sampling import Space
from layerwise.encoders.search.space.validity import check


def of_the_space(space: CellSpace, text: str) -> bool:
    """By the rules themselves, not by ``read``."""
    cell = parse(text)
    check(cell)
    return (
        str(canonical(cell)) == text
        and {str(node.operation) for node in cell.nodes} <= set(space.space.operations)
        and space.space.fewest <= len(cell.nodes) <= space.space.most
    )


@pytest.mark.parametrize("argument", ["recurrent", "small"])
def test_all_ways_to_a_candidate_end_in_the_space(argument: str) -> None:
    space, rng = cell_space(argument), random.Random(1)
    before = space.sample(rng)
    for _ in range(20):
        candidate = space.sample(rng)
        mutated = space.mutate(candidate, rng)
        assert mutated != candidate
        for each in (candidate, mutated, space.cross(before, mutated, rng)):
            assert of_the_space(space, each)
            assert space.read(each) == each
        before = candidate


@pytest.mark.parametrize("argument", SPACES)
def test_every_vector_of_genes_is_one_cell(argument: str) -> None:
    space, rng = cell_space(argument), random.Random(2)
    vectors = [[rng.randrange(size) for size in space.genes] for _ in range(60)]
    if argument:  # a random cell of the space of all is slow to draw, and some of these are one
        vectors += [[0] * len(space.genes), [size - 1 for size in space.genes]]
    else:
        vectors = vectors[:8]
    cells = [space.decode(vector) for vector in vectors]
    assert all(of_the_space(space, cell) for cell in cells)
    assert cells == [space.decode(vector) for vector in vectors]
    assert len(set(cells)) > 0.7 * len(cells)


def test_a_vector_worked_by_hand() -> None:
    space = CellSpace("two", Space(("L", "t", "a"), fewest=2, most=2, most_inputs=2, delayed=0))
    # Nodes; operation, inputs, 2 sources of each of 2 nodes; reader, place, source of a delay.
    assert tuple(space.genes) == (1, 3, 2, 2, 2, 3, 2, 2, 2, 3, 2, 3)
    # An L of the input and of the tanh one word earlier: a plain recurrent network.
    vector = [0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 2]
    assert space.decode(vector) == ALIASES["rnn"]
    # Reader 0: no delay. The L's second input repeats its first and becomes the next, the input one
    # word earlier.
    assert space.decode([*vector[:9], 0, 1, 2]) == "c1/L:0,@0/t:1=2"


def test_a_convolution_never_ends_in_a_loop() -> None:
    space, rng = CellSpace("loops", Space(("K3", "a", "L"), most=8)), random.Random(3)
    decoded = set()
    for _ in range(200):
        genes = [rng.randrange(size) for size in space.genes]
        genes[-12:] = [rng.randrange(1, 9) % size for size in space.genes[-12:]]  # many delays
        decoded.add(space.decode(genes))
    assert all(of_the_space(space, cell) for cell in decoded)
    assert sum("K3" in cell and "@" in cell for cell in decoded) > 20


def test_genes_of_another_form_are_refused() -> None:
    space = cell_space("small")
    for genes in ([0], [-1] * len(space.genes), [99] * len(space.genes)):
        with pytest.raises(DataError, match="not a vector of 40 genes"):
            space.decode(genes)


def test_reading_takes_other_writings_and_names() -> None:
    space = cell_space("recurrent")
    assert space.read(" c1/L:0/L:@3,0/t:2=3 ") == "c1/L:0,@2/t:1=2"  # the first node is dead
    assert space.read("gru") == str(canonical(parse(ALIASES["gru"])))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "no such cell"),
        ("c1/K3:0/t:1=2", "K3 is no operation of the space cell:recurrent"),
        ("c1/t:0=1", "1 nodes reach its output"),
        ("c1/L:0,0/t:1=2", "reads the same twice"),
        ("c1/t:1=1", "which is not before it"),
        (f"{ALIASES['lstm'][:-3]}/t:13=14", "14 nodes reach its output; the space cell:recurrent"),
    ],
)
def test_what_is_not_of_the_space_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        cell_space("recurrent").read(text)


def test_an_unknown_space_is_met_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean recurrent"):
        cell_space("recurent")


def test_a_description_tells_how_to_write_what_can_be_read() -> None:
    space = cell_space("small")
    for anonymous in (False, True):
        told = space.describe(anonymous)
        example = told.rpartition("An example: ")[2]
        assert space.read(example) == example
        for operation in set(space.space.operations):
            assert f"\n{operation}: " in told
    assert "b: blend, z*p + (1-z)*q" in space.describe()
    assert "A4w16: self-attention over the last 16 words with 4 heads, 1 input" in space.describe()


def test_an_anonymous_description_names_no_operation() -> None:
    told = cell_space("small").describe(anonymous=True).lower()
    names = {word for kind in KINDS.values() for word in kind.title.lower().split()} - {"and"}
    assert not {name for name in names if name in told.replace(",", " ").replace(":", " ").split()}
    for word in ("word", "layer", "recurren", "convol", "attent", "language"):
        assert word not in told
