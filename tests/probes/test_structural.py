"""The structural probe: its loss by hand, optima that are known, and what must not matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from layerwise.core.errors import DataError
from layerwise.probes.structural import Quantity, Sentences, StructuralProbe

torch.set_num_threads(1)

DIM, LONGEST = 12, 9


def tree_of(size: int, random: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Heads and lineage of a random tree: 1 where the word of the row is that of the column or
    below it. The root's own column is 0, so that a row's squared length is the word's depth."""
    heads = [-1] * size
    lineage = np.zeros((size, LONGEST))
    order = random.permutation(size).tolist()
    for place, word in enumerate(order[1:], 1):
        heads[word] = order[int(random.integers(place))]
        lineage[word] = lineage[heads[word]]
        lineage[word, word] = 1
    return np.array(heads), lineage


def sentences(
    number: int,
    seed: int,
    quantity: Quantity = "distance",
    noise: float = 0.0,
    rotation: NDArray[Any] | None = None,
    shuffled: bool = False,
) -> Sentences:
    """Trees and vectors in which their lineages lie, turned among other directions."""
    random = np.random.default_rng(seed)
    lengths = random.integers(2, LONGEST + 1, size=number)
    lineages = [tree_of(int(size), random)[1] for size in lengths]
    rows = np.concatenate(lineages)
    rows = np.concatenate([rows, np.zeros((len(rows), DIM - LONGEST))], axis=1)
    rows = rows @ (np.eye(DIM) if rotation is None else rotation)
    rows += noise * random.standard_normal(rows.shape)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    if shuffled:  # the sentences stand elsewhere in the layer, with words between that are in none
        starts = starts + np.arange(number)
        apart = np.full((len(rows) + number, DIM), 1e6)
        for start, own in zip(starts, np.split(rows, np.cumsum(lengths)[:-1]), strict=True):
            apart[start : start + len(own)] = own
        rows = apart
    labels = [depths(each) if quantity == "depth" else distances(each) for each in lineages]
    return Sentences(rows.astype(np.float32), starts, lengths, labels)


def depths(lineage: NDArray[Any]) -> NDArray[np.int64]:
    return lineage.sum(axis=1).astype(np.int64)


def distances(lineage: NDArray[Any]) -> NDArray[np.int64]:
    return np.abs(lineage[:, None] - lineage[None, :]).sum(axis=2).astype(np.int64)


def loss_by_hand(probe: StructuralProbe, these: Sentences, quantity: Quantity) -> float:
    """Word by word, pair by pair."""
    total = 0.0
    for start, length, true in zip(these.starts, these.lengths, these.labels, strict=True):
        own = [probe.map_ @ these.vectors[start + i].astype(np.float64) for i in range(length)]
        if quantity == "depth":
            total += sum(abs(own[i] @ own[i] - true[i]) for i in range(length)) / length
            continue
        for i in range(length):
            for j in range(length):
                apart = own[i] - own[j]
                total += abs(apart @ apart - true[i, j]) / length**2
    return total / len(these)


def predicted(probe: StructuralProbe, these: Sentences) -> list[NDArray[np.float64]]:
    return list(probe.predict(these.vectors, these.starts, these.lengths))


def rotation(seed: int = 5) -> NDArray[np.float64]:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((DIM, DIM)))[0]


BOTH = pytest.mark.parametrize("quantity", ["distance", "depth"])


@BOTH
def test_the_loss_is_that_of_the_paper(quantity: Quantity) -> None:
    train, dev = (sentences(90, seed, quantity, noise=0.3, shuffled=True) for seed in (0, 1))
    probe = StructuralProbe(quantity=quantity, epochs=3, rank=5).fit(train, dev)
    assert probe.dev_loss_ == pytest.approx(loss_by_hand(probe, dev, quantity), rel=1e-5)
    assert len(probe.dev_losses_) == 3 and probe.dev_loss_ == min(probe.dev_losses_)


@BOTH
def test_predictions_are_squared_lengths(quantity: Quantity) -> None:
    train, dev = sentences(60, 0, quantity), sentences(20, 1, quantity, noise=0.2)
    probe = StructuralProbe(quantity=quantity, epochs=2).fit(train, dev)
    for start, length, found in zip(dev.starts, dev.lengths, predicted(probe, dev), strict=True):
        own = dev.vectors[start : start + length].astype(np.float64) @ probe.map_.T
        apart = own[:, None] - own[None, :] if quantity == "distance" else own
        assert np.allclose(found, np.square(apart).sum(axis=-1), atol=1e-6)


@BOTH
def test_a_tree_that_is_there_is_found(quantity: Quantity) -> None:
    turned = rotation()
    train, dev, test = (
        sentences(n, seed, quantity, rotation=turned) for n, seed in ((400, 0), (60, 1), (60, 2))
    )
    probe = StructuralProbe(quantity=quantity, rate=0.02).fit(train, dev)
    assert probe.converged_ and probe.dev_loss_ < 0.12
    pairs = zip(predicted(probe, test), test.labels, strict=True)
    assert np.mean([np.abs(found - true).mean() for found, true in pairs]) < 0.12
    # Not so where each word has the vector of some other.
    elsewhere = np.random.default_rng(3).permutation(train.vectors)
    wrong = Sentences(elsewhere, train.starts, train.lengths, train.labels)
    lost = StructuralProbe(quantity=quantity, rate=0.02).fit(wrong, dev)
    assert lost.dev_loss_ > 4 * probe.dev_loss_


def pairs(steps: Sequence[float]) -> Sentences:
    """Sentences of two words, the second of which is so far from the first, in one dimension."""
    vectors = np.zeros((2 * len(steps), 1), dtype=np.float32)
    vectors[1::2, 0] = steps
    starts = np.arange(len(steps)) * 2
    label = np.array([[0, 1], [1, 0]])
    return Sentences(vectors, starts, np.full(len(steps), 2), [label] * len(steps))


def test_the_optimum_in_one_dimension_is_a_weighted_median() -> None:
    steps = np.random.default_rng(3).uniform(0.5, 2, size=101)
    these = pairs(steps.tolist())
    probe = StructuralProbe(rate=0.01).fit(these, these)
    # |b^2 s^2 - 1| summed is least where b^2 is 1 / s^2 of one of the pairs.
    losses = [np.abs(steps**2 / step**2 - 1).mean() / 2 for step in steps]
    assert probe.dev_loss_ == pytest.approx(min(losses), rel=2e-3)
    assert float(probe.map_[0, 0] ** 2) == pytest.approx(
        1 / steps[np.argmin(losses)] ** 2, rel=0.05
    )


@BOTH
@pytest.mark.parametrize("change", [lambda x: x * 512, lambda x: x / 512])
def test_the_size_of_vectors_decides_nothing(
    quantity: Quantity, change: Callable[[NDArray[Any]], NDArray[Any]]
) -> None:
    plain = [sentences(60, seed, quantity, noise=0.2) for seed in (0, 1)]
    sized = [Sentences(change(s.vectors), s.starts, s.lengths, s.labels) for s in plain]
    one, other = (
        StructuralProbe(quantity=quantity, epochs=4).fit(*each) for each in (plain, sized)
    )
    for found, again in zip(predicted(one, plain[1]), predicted(other, sized[1]), strict=True):
        assert np.allclose(found, again, atol=1e-4)


def test_where_all_vectors_point_one_way_distances_are_the_same() -> None:
    plain = [sentences(60, seed, noise=0.2) for seed in (0, 1)]
    moved = [Sentences(s.vectors + 64, s.starts, s.lengths, s.labels) for s in plain]
    one, other = (StructuralProbe(epochs=3).fit(*each) for each in (plain, moved))
    assert one.dev_loss_ == pytest.approx(other.dev_loss_, rel=1e-3)


@BOTH
def test_words_of_no_sentence_decide_nothing(quantity: Quantity) -> None:
    together, apart = (
        [sentences(60, seed, quantity, noise=0.2, shuffled=each) for seed in (0, 1)]
        for each in (False, True)
    )
    one, other = (
        StructuralProbe(quantity=quantity, epochs=3).fit(*each) for each in (together, apart)
    )
    assert np.array_equal(one.map_, other.map_)


def test_the_seed_alone_decides_and_no_global_state() -> None:
    train, dev = sentences(60, 0, noise=0.2), sentences(20, 1, noise=0.2)
    torch.manual_seed(1)
    one = StructuralProbe(epochs=3).fit(train, dev)
    before = torch.random.get_rng_state()
    again = StructuralProbe(epochs=3).fit(train, dev)
    assert torch.equal(before, torch.random.get_rng_state())
    other = StructuralProbe(epochs=3, seed=1).fit(train, dev)
    assert np.array_equal(one.map_, again.map_) and one.dev_losses_ == again.dev_losses_
    assert not np.array_equal(one.map_, other.map_)


def test_what_is_stored_is_read_as_it_is() -> None:
    train, dev = sentences(60, 0, noise=0.2), sentences(20, 1, noise=0.2)
    half = [
        Sentences(s.vectors.astype(np.float16), s.starts, s.lengths, s.labels) for s in (train, dev)
    ]
    for each in half:
        each.vectors.setflags(write=False)
    wide = [Sentences(s.vectors.astype(np.float64), s.starts, s.lengths, s.labels) for s in half]
    one, other = (StructuralProbe(epochs=2).fit(*each) for each in (half, wide))
    assert one.dev_losses_ == other.dev_losses_


def test_the_lowest_loss_on_dev_is_kept_and_reported() -> None:
    """Labels of dev that contradict those of train: each epoch of training makes dev worse."""
    train, dev = sentences(60, 0), sentences(20, 1)
    near = Sentences(dev.vectors, dev.starts, dev.lengths, [each * 0 for each in dev.labels])
    probe = StructuralProbe(rate=0.05).fit(train, near)
    assert probe.dev_loss_ == probe.dev_losses_[0] < probe.dev_losses_[1]
    assert probe.dev_loss_ == pytest.approx(loss_by_hand(probe, near, "distance"), rel=1e-5)
    assert probe.fit_report() == {
        "rank": DIM,
        "epochs": 5,  # the first, and four that cut the step
        "dev_loss": probe.dev_loss_,
        "converged": True,
    }
    short = StructuralProbe(epochs=1, rank=4).fit(train, dev)
    assert short.fit_report()["converged"] is False and short.map_.shape == (4, DIM)
    assert set(StructuralProbe().settings()) == {"rank", "rate", "epochs"}


@BOTH
def test_words_that_are_all_alike_are_all_as_far(quantity: Quantity) -> None:
    train, dev = sentences(30, 0, quantity), sentences(10, 1, quantity)
    flat = [Sentences(s.vectors * 0 + 1, s.starts, s.lengths, s.labels) for s in (train, dev)]
    probe = StructuralProbe(quantity=quantity, epochs=2).fit(*flat)
    assert all(np.ptp(found) == 0 for found in predicted(probe, flat[1]))


def test_what_cannot_be_fitted_is_refused() -> None:
    train, dev = sentences(30, 0), sentences(10, 1)
    none = Sentences(train.vectors, train.starts[:0], train.lengths[:0], [])
    for one, other in ((none, dev), (train, none)):
        with pytest.raises(DataError, match="needs sentences of train and of dev"):
            StructuralProbe().fit(one, other)
    broken = Sentences(dev.vectors * np.nan, dev.starts, dev.lengths, dev.labels)
    with pytest.raises(DataError, match="not finite"):
        StructuralProbe().fit(broken, dev)
    with pytest.raises(DataError, match="not finite"):
        StructuralProbe().fit(train, broken)
