"""The phrases above a word, against a walk down random trees."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import UsageError
from layerwise.core.types import Span
from layerwise.tasks.ancestors import GrandparentLabel, GreatGrandparentLabel, ParentLabel
from layerwise.tasks.base import Corpus
from layerwise.tasks.conllu import ConlluFile, read_conllu

Write = Callable[..., Path]
TASKS = (ParentLabel, GrandparentLabel, GreatGrandparentLabel)


def grown(rng: random.Random, above: tuple[str, ...], paths: list[tuple[str, ...]]) -> str:
    """The brackets of a random phrase; ``paths`` takes the labels above each of its words."""
    label = rng.choice(["S", "NP-SBJ", "VP", "PP=1"])
    inside = (*above, label.partition("-")[0].partition("=")[0])
    parts = []
    for _ in range(rng.randint(1, 3)):
        if len(inside) < 5 and rng.random() < 0.5:
            parts.append(grown(rng, inside, paths))
        else:
            parts.append(f"(X w{len(paths)})")
            paths.append(inside)
    return f"({label} {' '.join(parts)})"


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10**9))
def test_against_a_walk_down(conllu: Write, seed: int) -> None:
    rng = random.Random(seed)
    lines, expected = ["# newdoc id = d"], []
    for _ in range(rng.randint(1, 3)):
        paths: list[tuple[str, ...]] = []
        tree = grown(rng, (), paths)
        if rng.random() < 0.8:
            lines.append(f"# tree = (ROOT {tree})")
            expected += [path for path in paths]
        else:
            expected += [None for _ in paths]
        lines += [
            f"{i + 1} w{i} _ X _ _ {i} {'dep' if i else 'root'} _ _" for i in range(len(paths))
        ]
        lines.append("")
    (document,) = read_conllu(conllu("\n".join(lines))).documents
    for level, task in enumerate(TASKS, 1):
        assert [(t.span1, t.label) for t in task().targets(document)] == [
            (Span(i, i + 1), path[-level] if len(path) >= level else "none")
            for i, path in enumerate(expected)
            if path is not None
        ]


def test_unary_chains_are_levels_and_the_top_is_none(conllu: Write) -> None:
    text = """
    # newdoc id = d
    # tree = (ROOT (S (VP (VB Go)) (. !)))
    1 Go go X _ _ 0 root _ _
    2 ! ! X _ _ 1 punct _ _
    """
    (document,) = read_conllu(conllu(text)).documents
    found = [[t.label for t in task().targets(document)] for task in TASKS]
    assert found == [["VP", "S"], ["S", "none"], ["none", "none"]]


def test_names_and_what_a_corpus_offers(conllu: Write) -> None:
    assert [task.name for task in TASKS] == ["parent", "grandparent", "greatgrandparent"]
    with pytest.raises(UsageError, match="grandparent takes no argument"):
        GrandparentLabel("2")
    bare = read_conllu(conllu("1 a a X _ _ 0 root _ _")).documents
    assert ParentLabel.available(Corpus("c", dict.fromkeys(("train", "dev", "test"), bare))) == []


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    read = read_shared("gum_open/gum_open-dev.conllu.gz")
    labels = [Counter(t.label for d in read.documents for t in task().targets(d)) for task in TASKS]
    assert {each.total() for each in labels} == {8383}
    # A word with a grandparent has a parent, and so on up.
    none = [each["none"] for each in labels]
    assert none == sorted(none) and none[0] < 10
    assert [each.most_common(1)[0][0] for each in labels] == ["NP", "NP", "VP"]
