"""The published recipes: each comes back from its text, and has its published weights."""

from __future__ import annotations

import json
from typing import Any

import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.nasbench_nlp import read_recipe
from layerwise.encoders.search.space.validity import is_valid
from layerwise.encoders.search.space.widths import parameters

WORDS, EMBEDDING, STATE = 10_000, 400, 600


def agree(rows: list[dict[str, Any]]) -> None:
    """Three layers between the embeddings, which the output has too, with a bias of its own."""
    counts = {"n_linear": "L", "n_tanh": "t", "n_sigm": "s", "n_lrelu": "u"}
    counts |= {"n_prod": "m", "n_sum": "a", "n_blend": "b"}
    for row in rows:
        cell = read_recipe(row["recipe"])
        assert parse(str(cell)) == cell
        layers = (
            parameters(cell, STATE, EMBEDDING)
            + parameters(cell, STATE)
            + parameters(cell, EMBEDDING, STATE)
        )
        assert WORDS * (EMBEDDING + 1) + layers == row["params_ptb"], row["arch"]
        for name, letter in counts.items():
            assert sum(node.operation.letter == letter for node in cell.nodes) == row[name]


def test_published_recipes_come_back_with_their_published_weights(
    published: list[dict[str, Any]],
) -> None:
    agree(published[::5])


@pytest.mark.slow
def test_all_of_them_do(published: list[dict[str, Any]]) -> None:
    assert len(published) == 4322
    agree(published)
    assert sum(not is_valid(read_recipe(row["recipe"])) for row in published) == 5  # no word in


def test_the_order_of_a_recipe_does_not_matter() -> None:
    recipe = {
        "h_new_0": {"op": "blend", "input": ["z", "h_prev_1", "h_new_1"]},
        "h_new_1": {"op": "activation_leaky_relu", "input": ["x"]},
        "z": {"op": "activation_sigm", "input": ["h_prev_0"]},
    }
    assert str(read_recipe(json.dumps(recipe))) == "c1/u:0/s:@3/b:2,@1,1=3"


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("{", "recipe: not JSON"),
        ("[]", "recipe: has no node h_new_0; its output has that name"),
        ('{"h_new_0": 3}', "recipe, node h_new_0: has no operation"),
        ('{"h_new_0": {"op": "sin", "input": ["x"]}}', "node h_new_0: no such operation: 'sin'"),
        ('{"h_new_0": {"op": "linear", "input": "x"}}', "has no list of inputs"),
        ('{"h_new_0": {"op": "linear", "input": ["y"]}}', "there is no node 'y'"),
        ('{"h_new_0": {"op": "linear", "input": ["h_prev_1"]}}', "there is no node 'h_prev_1'"),
        ('{"h_new_0": {"op": "linear", "input": ["h_new_0"]}}', "waits for its own value"),
        ('{"h_new_0": {"op": "blend", "input": ["x"]}}', "cell, node 1 (b:0): 1 inputs"),
    ],
)
def test_what_cannot_be_read_is_told(recipe: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        read_recipe(recipe)
    assert told in str(caught.value)
