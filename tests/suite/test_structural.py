"""Trees as arrays, control trees, baselines by hand, and records of layers that are known."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence
from layerwise.probes.structural import StructuralProbe
from layerwise.results.predictions import read_predictions
from layerwise.results.records import Key, Record
from layerwise.suite.structural import PROBE, PreparedTrees, TreeUnit, measure_trees
from layerwise.suite.structural_arrays import (
    _hung,
    control_trees,
    scores_of,
    structural_arrays,
    tree_baselines,
)
from layerwise.tasks.dependency_trees import (
    Quantity,
    Tree,
    TreeData,
    TreeSplit,
    tree_depths,
    tree_distances,
)
from layerwise.tasks.heads import tree_faults

torch.set_num_threads(1)

SIZES = {"train": 40, "dev": 12, "test": 16}
WIDTH = 9  # of the longest sentence
BOTH = pytest.mark.parametrize("quantity", ["distance", "depth"])


def made(quantity: Quantity = "distance", seed: int = 0) -> TreeData:
    """Documents of two sentences of 3 to 9 words, of which every other document begins with one
    that has no tree; the last word is not scored. Words are of thirty types."""
    random = np.random.default_rng(seed)
    splits = {}
    for name, number in SIZES.items():
        documents, trees = [], []
        for index in range(number):
            id = f"{name}-{index}"
            lengths = [4] * (index % 2) + random.integers(3, WIDTH + 1, size=2).tolist()
            words = [[f"t{t}" for t in random.integers(30, size=length)] for length in lengths]
            documents.append(Document(id, tuple(map(Sentence.from_words, words))))
            starts = documents[-1].sentence_starts
            for start, end in list(pairwise(starts))[index % 2 :]:
                heads = [-1, *(int(random.integers(word)) for word in range(1, end - start))]
                scored = (True,) * (end - start - 1) + (False,)
                trees.append(Tree(id, start, tuple(heads), scored))
        splits[name] = TreeSplit(tuple(documents), tuple(trees))
    return TreeData(f"tree-{quantity}.v1", quantity, splits, {"corpus": "made"})


def knowing(data: TreeData, name: str) -> NDArray[np.float32]:
    """The way of each word to the root: squared distances are those in the tree, exactly."""
    split = data.splits[name]
    offsets = np.cumsum([0, *map(len, split.documents)])
    places = {d.id: int(at) for d, at in zip(split.documents, offsets[:-1], strict=True)}
    rows = np.zeros((int(offsets[-1]), WIDTH), dtype=np.float32)
    for tree in split.trees:
        for word in range(len(tree.heads)):
            at = word
            while tree.heads[at] >= 0:
                rows[places[tree.document] + tree.start + word, at] = 1
                at = tree.heads[at]
    return rows


def noise(data: TreeData, name: str) -> NDArray[np.float32]:
    words = sum(map(len, data.splits[name].documents))
    return np.random.default_rng(9).standard_normal((words, WIDTH)).astype(np.float32)


def record(
    data: TreeData,
    layer: Callable[[TreeData, str], NDArray[np.float32]],
    controls: int = 1,
    folder: Path | None = None,
) -> tuple[Record, PreparedTrees]:
    prepared = PreparedTrees(data, structural_arrays(data), controls)
    key = Key(
        encoder="e",
        fingerprint="f",
        task=data.task,
        data="made",
        data_hash=prepared.arrays.data_hash,
        layer=1,
        probe=PROBE,
        seed=0,
        settings=prepared.settings,
    )
    quick = StructuralProbe(quantity=data.quantity, rate=0.1, epochs=3)
    unit = TreeUnit(
        key,
        "layer 1",
        2,
        prepared.arrays,
        prepared.controls,
        quick,
        prepared.baselines,
        dict(data.facts),
        folder or Path(os.environ["LAYERWISE_CACHE"]),  # of this test alone
    )
    assert unit.cost(100) > 0
    return measure_trees(unit, {name: layer(data, name) for name in SIZES}, {}), prepared


@BOTH
def test_a_layer_that_knows_the_trees_and_one_that_does_not(quantity: Quantity) -> None:
    data = made(quantity)
    knows, prepared = record(data, knowing)
    guesses, _ = record(data, noise)
    assert (
        knows.metric
        == prepared.arrays.metric
        == {"distance": "uuas", "depth": "spearman"}[quantity]
    )
    chance = max(each.get(knows.metric, 0) for each in prepared.baselines.values())
    assert knows.scores[knows.metric] > 0.9 > chance + 0.1
    assert guesses.scores[knows.metric] < chance + 0.1
    assert knows.scores["selectivity"] > 0.3 > abs(guesses.scores["selectivity"])
    other = "spearman" if quantity == "distance" else "root_accuracy"
    assert set(knows.scores) == {
        knows.metric,
        other,
        f"control_{knows.metric}",
        "selectivity",
    }
    assert knows.scores["selectivity"] == pytest.approx(
        knows.scores[knows.metric] - knows.scores[f"control_{knows.metric}"]
    )
    assert set(knows.dev_scores) == {knows.metric, other}
    interval = knows.interval
    assert interval is not None
    assert interval.low <= knows.scores[knows.metric] <= interval.high
    Record.model_validate_json(knows.to_line())


def test_what_a_record_tells() -> None:
    data = made()
    found, prepared = record(data, knowing, controls=2)
    test = data.splits["test"].trees
    assert found.counts == {
        "train_sentences": 80,
        "dev_sentences": 24,
        "test_sentences": 32,
        "words": sum(len(tree.heads) for tree in test),
        "scored_words": sum(sum(tree.scored) for tree in test),
        "clusters": 32,
        "features": WIDTH,
    }
    assert found.key.probe == "structural.v1"
    assert found.key.settings == {"controls": 2, "rank": 128, "rate": 0.003, "epochs": 100}
    assert found.chosen["epochs"] == 3 and found.chosen["rank"] == WIDTH
    assert len(found.chosen["controls"]) == 2  # type: ignore[arg-type]
    assert found.facts == {"corpus": "made", "clusters": "sentence"}
    assert found.baselines == prepared.baselines
    assert prepared.summary == "distance in trees; sentences train 80, dev 24, test 32"
    assert prepared.probe.quantity == "distance" and PreparedTrees(
        made("depth"), prepared.arrays, 0, device="cuda"
    ).probe.settings() == dict(list(found.key.settings.items())[1:])
    alone, _ = record(data, knowing, controls=0)
    assert set(alone.scores) == {"uuas", "spearman"} and "controls" not in alone.chosen
    assert alone.scores["uuas"] == found.scores["uuas"]
    assert alone.interval == found.interval


def test_words_are_looked_up_where_they_stand() -> None:
    data = made()
    arrays = structural_arrays(data)
    for name, split in data.splits.items():
        words = [word for document in split.documents for word in document.words]
        texts = {document.id: document.words for document in split.documents}
        laid = arrays.splits[name]
        assert len(laid) == len(split.trees)
        for tree, start, length, heads, scored in zip(
            split.trees, laid.starts, laid.lengths, laid.heads, laid.scored, strict=True
        ):
            own = texts[tree.document][tree.start : tree.start + len(tree.heads)]
            assert tuple(words[start : start + length]) == own
            assert tuple(heads) == tree.heads and tuple(scored) == tree.scored


def test_the_hash_is_of_text_trees_and_scored_words() -> None:
    data = made()
    split = data.splits["dev"]

    def hashed(tree: Tree) -> str:
        trees = (tree, *split.trees[1:])
        splits = {**data.splits, "dev": replace(split, trees=trees)}
        return structural_arrays(replace(data, splits=splits)).data_hash

    tree = split.trees[0]
    same = structural_arrays(data).data_hash
    assert hashed(tree) == same == structural_arrays(made()).data_hash
    other_heads = (-1, 0, *([1 - tree.heads[2]] if len(tree.heads) > 2 else []), *tree.heads[3:])
    others = [
        hashed(tree._replace(heads=other_heads)),
        hashed(tree._replace(scored=(True,) * len(tree.scored))),
        structural_arrays(made(seed=1)).data_hash,
    ]
    assert len({same, *others}) == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"document": "nowhere"}, "names the document 'nowhere'"),
        ({"start": 10_000}, "reaches out of its document"),
        ({"start": -1}, "reaches out of its document"),
        ({"heads": (1, 0), "scored": (True, True)}, "no tree: the sentence has no root"),
        ({"heads": (-1, -1), "scored": (True, True)}, "no tree: a second root"),
        ({"heads": (-1, 5), "scored": (True, True)}, "no tree: its head is 6"),
        ({"heads": (-1, 0), "scored": (True,)}, "does not tell which"),
        ({"heads": (-1, 0), "scored": (False, False)}, "does not tell which"),
    ],
)
def test_a_tree_that_does_not_fit_is_refused(change: dict[str, object], reason: str) -> None:
    data = made()
    split = data.splits["test"]
    trees = (split.trees[0]._replace(**change), *split.trees[1:])  # type: ignore[arg-type]
    splits = {**data.splits, "test": replace(split, trees=trees)}
    with pytest.raises(DataError, match=reason):
        structural_arrays(replace(data, splits=splits))


def test_two_documents_of_one_id_are_refused() -> None:
    data = made()
    split = data.splits["dev"]
    twice = replace(split, documents=(*split.documents, split.documents[0]))
    with pytest.raises(DataError, match=r"tree-distance\.v1, dev split: two documents have one id"):
        structural_arrays(replace(data, splits={**data.splits, "dev": twice}))


@BOTH
def test_where_test_cannot_be_scored_it_is_told_at_once(quantity: Quantity) -> None:
    documents = (Document("a", (Sentence.from_words("xyz"),)),)
    tree = Tree("a", 0, (1, -1, 1), (True, False, True))
    data = TreeData("t.v1", quantity, {"test": TreeSplit(documents, (tree,))}, {})
    with pytest.raises(
        DataError, match=r"no sentence of the test split has (an arc|5 to 50 words)"
    ):
        structural_arrays(data)


def test_a_layer_that_is_not_finite_is_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        record(made(), lambda data, name: noise(data, name) * np.nan)


def by_hand(levels: list[float], right: list[bool]) -> list[int]:
    """The control tree by its definition, word by word."""
    root = levels.index(min(levels))
    heads = []
    for word, level in enumerate(levels):
        left = [other for other in range(word) if levels[other] < level]
        behind = [other for other in range(word + 1, len(levels)) if levels[other] < level]
        sides = [behind[:1], left[-1:]] if right[word] else [left[-1:], behind[:1]]
        heads.append(-1 if word == root else (sides[0] + sides[1] + [root])[0])
    return heads


@BOTH
def test_in_control_trees_nothing_hangs_on_words_that_are_not_scored(quantity: Quantity) -> None:
    data = made(quantity)
    arrays = structural_arrays(data)
    first, second = control_trees(data, arrays, 2)
    for name, split in arrays.splits.items():
        for heads, scored in zip(first[name], split.scored, strict=True):
            assert not tree_faults([int(head) + 1 for head in heads])
            assert scored[heads[heads >= 0]].all() and scored[heads < 0].all()
    pairs = zip(first["test"], second["test"], strict=True)
    assert not all(np.array_equal(one, other) for one, other in pairs)
    assert control_trees(data, arrays, 0) == ()
    alone = control_trees(data, arrays, 1)[0]["test"]
    assert all(map(np.array_equal, alone, first["test"]))


def test_types_alone_tell_a_control_tree() -> None:
    """The same words make the same tree, whatever the split and the true tree."""
    data = made()
    text = Sentence.from_words([f"t{i}" for i in (3, 1, 4, 1, 5, 9, 2, 6)])
    found = []
    for name, heads in (("dev", (-1, *range(7))), ("test", (1, -1, *[1] * 6))):
        split = data.splits[name]
        more = TreeSplit(
            (*split.documents, Document("more", (text,))),
            (*split.trees, Tree("more", 0, heads, (True,) * 8)),
        )
        longer = replace(data, splits={**data.splits, name: more})
        found.append(control_trees(longer, structural_arrays(longer), 1)[0][name][-1].tolist())
    assert found[0] == found[1] != [-1, *range(7)]


def test_a_control_tree_is_as_defined() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        size = int(random.integers(1, 12))
        levels = random.integers(4, size=size)
        right = random.random(size) < 0.5
        assert _hung(levels, right).tolist() == by_hand(levels.tolist(), right.tolist())


def test_levels_are_spread_as_depths_are() -> None:
    """Of many types, about as many are roots' and so on as words of train are so deep."""
    random = np.random.default_rng(1)
    documents, trees = [], []
    for index in range(300):
        words = [f"w{index}-{i}" for i in range(8)]
        documents.append(Document(str(index), (Sentence.from_words(words),)))
        heads = (-1, *(int(random.integers(max(0, i - 3), i)) for i in range(1, 8)))
        trees.append(Tree(str(index), 0, heads, (True,) * 8))
    split = TreeSplit(tuple(documents), tuple(trees))
    data = TreeData("t.v1", "depth", dict.fromkeys(("train", "dev", "test"), split), {})
    (control,) = control_trees(data, structural_arrays(data), 1)
    true, drawn = (
        np.concatenate([tree_depths(heads) for heads in of])
        for of in ([tree.heads for tree in trees], control["train"])
    )
    assert drawn.mean() == pytest.approx(true.mean(), rel=0.35)
    assert np.mean(drawn == 0) == np.mean(true == 0) == 1 / 8


def test_baselines_of_distances_by_hand() -> None:
    data = made()
    trees = data.splits["test"].trees
    found = sought = chance = 0.0
    rows: dict[int, list[float]] = {}
    for tree in trees:
        words = [word for word, own in enumerate(tree.scored) if own]
        gold = {
            (min(w, h), max(w, h))
            for w, h in enumerate(tree.heads)
            if h >= 0 and tree.scored[w] and tree.scored[h]
        }
        found += len(gold & set(pairwise(words)))
        sought += len(gold)
        pairs = list(combinations(words, 2))
        chance += len(gold) * (len(words) - 1) / len(pairs)  # n - 1 arcs, any pair as likely
        distances = tree_distances(tree.heads)
        for word in range(len(tree.heads)):
            places = np.abs(np.arange(len(tree.heads)) - word)
            if len(tree.heads) >= 5:
                rows.setdefault(len(tree.heads), []).append(spearmanr(places, distances[word])[0])
    baselines = tree_baselines(structural_arrays(data))
    assert baselines["linear chain"]["uuas"] == pytest.approx(found / sought)
    assert baselines["random tree"] == {"uuas": pytest.approx(chance / sought)}
    expected = np.mean([np.mean(of_length) for of_length in rows.values()])
    assert baselines["linear chain"]["spearman"] == pytest.approx(expected)


def test_baselines_of_depths_by_hand() -> None:
    data = made("depth")
    trees = data.splits["test"].trees
    baselines = tree_baselines(structural_arrays(data))
    # The root of all made trees is the first word.
    assert baselines["position"]["root_accuracy"] == 1
    assert baselines["random word"]["root_accuracy"] == pytest.approx(
        np.mean([1 / sum(tree.scored) for tree in trees])
    )
    by_length: dict[int, list[float]] = {}
    for tree in trees:
        if len(tree.heads) >= 5:
            own = spearmanr(range(len(tree.heads)), tree_depths(tree.heads))[0]
            by_length.setdefault(len(tree.heads), []).append(own)
    expected = np.mean([np.mean(each) for each in by_length.values()])
    assert baselines["position"]["spearman"] == pytest.approx(expected)


@BOTH
def test_what_sentences_earn_makes_the_score_and_is_kept(
    quantity: Quantity, tmp_path: Path
) -> None:
    data = made(quantity)
    split = structural_arrays(data).splits["test"]
    random = np.random.default_rng(2)
    guesses = []
    for length in split.lengths:
        each = random.random((length, length))
        guesses.append(each + each.T if quantity == "distance" else each[0])
    found = scores_of(guesses, split, quantity, split.heads)
    metric = "uuas" if quantity == "distance" else "spearman"
    assert found.scores[metric] == pytest.approx(found.credit.sum() / found.out_of.sum())
    fitting = split.lengths >= (3 if quantity == "distance" else 5)
    assert found.sentences.tolist() == np.flatnonzero(fitting).tolist()
    told, _ = record(data, knowing, folder=tmp_path)
    kept = read_predictions(tmp_path, told.id)
    assert kept is not None and kept.credit is not None and kept.out_of is not None
    assert kept.clusters.tolist() == found.sentences.tolist()
    assert told.scores[metric] == pytest.approx(kept.credit.sum() / kept.out_of.sum())
