"""The design over pairs, in each of its forms, against the rows written out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from layerwise.probes.design import DenseDesign, DenseSweep, Design, Moments, Sweep
from layerwise.probes.pairs import FactoredSweep, PairDesign, PairSweep, pair_moments

FORMS = (DenseSweep, PairSweep, FactoredSweep)

Rows = NDArray[np.float64]
Pairs = NDArray[np.int64]


def written_out(spans: Rows, pairs: Pairs) -> Rows:
    a, b = spans[pairs[:, 0]].astype(np.float64), spans[pairs[:, 1]].astype(np.float64)
    return np.concatenate([a, b, a * b, np.abs(a - b)], axis=1)


def drawn(seed: int, spans: int, pairs: int, dim: int, mean: float = 2.0) -> tuple[Rows, Pairs]:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(mean, generator.uniform(0.1, 3, size=dim), size=(spans, dim))
    return vectors, generator.integers(0, spans, size=(pairs, 2))


def a_pass(design: Design, sweep: Sweep) -> tuple[Tensor, Tensor]:
    """All logits, and the gradient of the sum of their log cosh."""
    logits = []
    for rows in design.parts():
        part = sweep.logits(rows)
        logits.append(part.clone())
        sweep.add(rows, part.tanh())
    return torch.cat(logits, dim=1), sweep.gradient()


def weights_for(design: Design, columns: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(columns, design.dim, generator=generator, dtype=torch.float64)
    intercepts = torch.randn(columns, generator=generator, dtype=torch.float64)
    return (weights / design.dim**0.5).to(design.dtype), intercepts.to(design.dtype)


def of_form(form: type, spans: Rows, pairs: Pairs, moments: Moments, part: int = 7) -> PairDesign:
    limit = 2**40 if form is DenseSweep else 0
    return PairDesign(spans, pairs, moments, in_memory=limit, part=part)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 99),
    spans=st.integers(1, 12),
    pairs=st.integers(1, 40),
    dim=st.integers(1, 5),
    columns=st.integers(1, 4),
    constant=st.sampled_from(["nothing", "a dimension", "all of a"]),
)
def test_it_is_the_design_of_the_rows_written_out(
    form: Callable[..., Sweep],
    seed: int,
    spans: int,
    pairs: int,
    dim: int,
    columns: int,
    constant: str,
) -> None:
    vectors, chosen = drawn(seed, spans, pairs, dim)
    if constant == "a dimension":
        vectors[:, 0] = 3
    if constant == "all of a":
        chosen[:, 0] = 0
    moments = Moments.of([written_out(vectors, chosen)])
    dense = DenseDesign(written_out(vectors, chosen), moments, part=7)
    design = of_form(form, vectors, chosen, moments)
    some = torch.from_numpy(np.random.default_rng(seed).integers(0, pairs, size=pairs // 2 + 1))
    assert design.dtype == dense.dtype == torch.float64
    assert (design.rows, design.dim) == (dense.rows, dense.dim)
    for ours, plain in [(design, dense), (design.take(some), dense.take(some))]:
        near(ours.features(slice(0, 5)), plain.features(slice(0, 5)))
        near(ours.features(some % ours.rows), plain.features(some % ours.rows))
        weights, intercepts = weights_for(plain, columns)
        sweep = form(ours, weights, intercepts)
        for got, expected in zip(
            a_pass(ours, sweep),
            a_pass(plain, plain.sweep(weights, intercepts)),
            strict=True,
        ):
            near(got, expected)


def near(got: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    scale = max(1.0, float(expected.abs().max()))
    assert float((got - expected).abs().max()) <= tolerance * scale


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mean", [0.0, 50.0, 1000.0])
@pytest.mark.parametrize("stored", [np.float32, np.float16])
def test_float32_is_enough_wherever_the_vectors_lie(
    form: Callable[..., Sweep], mean: float, stored: type
) -> None:
    vectors, pairs = drawn(0, 200, 900, 150, mean)
    vectors = vectors.astype(stored)
    moments = pair_moments(vectors, pairs)
    design = of_form(form, vectors, pairs, moments, part=256)
    assert design.dtype == torch.float32
    exact = (written_out(vectors, pairs) - moments.mean) / moments.scale
    near(design.features(slice(0, 900)), torch.from_numpy(exact).float(), 1e-5)
    weights, intercepts = weights_for(design, 5)
    logits, gradient = a_pass(design, form(design, weights, intercepts))
    plain = weights.double().numpy() @ exact.T + intercepts.double().numpy()[:, None]
    near(logits, torch.from_numpy(plain).float(), 1e-5)
    near(gradient, torch.from_numpy(np.tanh(plain) @ exact), 1e-5)


@pytest.mark.parametrize(
    ("pairs", "in_memory", "form"),
    [
        (399, 2**30, DenseSweep),  # few pairs a span: kept
        (400, 2**30, FactoredSweep),  # many: kept rows are the slower
        (399, 399 * 4 * 3 * 8 - 1, FactoredSweep),  # too large to be kept
        (200, 4 * 100 * 2 * 8, FactoredSweep),
        (200, 4 * 100 * 2 * 8 - 1, PairSweep),  # too many columns to be held a span
        (199, 4 * 100 * 2 * 8, PairSweep),  # too few pairs for it to be worth it
    ],
)
def test_the_form_follows_from_pairs_spans_and_memory(
    pairs: int, in_memory: int, form: type
) -> None:
    vectors, chosen = drawn(0, 100, pairs, 3)
    design = PairDesign(vectors, chosen, pair_moments(vectors, chosen), in_memory=in_memory)
    assert type(design.sweep(*weights_for(design, 2))) is form


def test_a_taken_design_shares_the_spans_until_it_is_so_small_that_float64_is_free() -> None:
    vectors, chosen = drawn(0, 200, 2000, 150)
    moments = pair_moments(vectors, chosen)
    design = PairDesign(vectors, chosen, moments, in_memory=0)
    many, few = design.take(torch.arange(1500)), design.take(torch.arange(30))
    assert many.spans is design.spans
    assert (many.dtype, few.dtype) == (torch.float32, torch.float64)
    assert len(few.spans) == len(np.unique(chosen[:30]))
    exact = (written_out(vectors, chosen) - moments.mean) / moments.scale
    near(many.features(slice(0, 1500)), torch.from_numpy(exact[:1500]).float(), 1e-5)
    near(few.features(slice(0, 30)), torch.from_numpy(exact[:30]), 1e-5)
    assert (design.rows, design.dtype) == (2000, torch.float32)


@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_those_of_the_rows_written_out(weighted: bool) -> None:
    vectors, pairs = drawn(0, 30, 700, 4)
    rows = written_out(vectors, pairs)
    weights = np.random.default_rng(1).integers(0, 4, size=700).astype(np.float64)
    got = pair_moments(vectors, pairs, weights if weighted else None)
    if weighted:
        rows = np.repeat(rows, weights.astype(np.int64), axis=0)
    np.testing.assert_allclose(got.mean, rows.mean(axis=0))
    np.testing.assert_allclose(got.scale, rows.std(axis=0))


@pytest.mark.parametrize(
    ("spans", "pairs", "says"),
    [
        ((5, 2), [[0, 1, 2]], "shape"),
        ((5, 2), [[0, 5]], "outside the 5"),
        ((5, 2), [[-1, 0]], "outside the 5"),
        ((5, 3), [[0, 1]], "moments of 8 features, not 12"),
    ],
)
def test_what_does_not_fit_is_an_error(
    spans: tuple[int, int], pairs: list[list[int]], says: str
) -> None:
    moments = Moments(np.zeros(8), np.ones(8))
    with pytest.raises(ValueError, match=says):
        PairDesign(np.zeros(spans), np.array(pairs), moments)


class Largest(TorchDispatchMode):
    """Notes the bytes of the largest tensor that any operation gives."""

    bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self.bytes = max(self.bytes, leaf.untyped_storage().nbytes())
        return result


@pytest.mark.parametrize("form", [PairSweep, FactoredSweep])
def test_no_tensor_is_larger_than_the_docstring_says(form: Callable[..., Sweep]) -> None:
    vectors, chosen = drawn(0, 500, 20_000, 32)
    moments = pair_moments(vectors, chosen)
    with Largest() as largest:
        design = PairDesign(vectors, chosen, moments, in_memory=0, part=256)
        weights, intercepts = weights_for(design, 10)
        sweep = form(design, weights, intercepts)
        for rows in design.parts():
            sweep.add(rows, sweep.logits(rows))
        sweep.gradient()
    indices, part = 16 * 20_000, 4 * 4 * 256 * 32
    assert largest.bytes == max(indices, part)
    assert largest.bytes < 4 * 4 * 20_000 * 32 / 30


def test_features_that_are_constant_in_train_are_0_on_other_pairs_too() -> None:
    vectors, chosen = drawn(0, 20, 50, 4)
    vectors[:10, 1:3] = 7.5, 0
    design = PairDesign(vectors, chosen, pair_moments(vectors, chosen % 10))
    features = design.features(slice(0, 50)).view(50, 4, 4)
    assert features[:, :, 1:3].eq(0).all()
    assert features[:, :, [0, 3]].ne(0).all()
    assert features.isfinite().all()


def test_spans_of_no_pair_are_neither_held_nor_multiplied() -> None:
    vectors, chosen = drawn(0, 1000, 2000, 100)
    chosen %= 400
    moments = pair_moments(vectors, chosen)
    design = PairDesign(vectors, chosen, moments, in_memory=2**18)
    assert len(design.spans) == len(np.unique(chosen))
    sweep = design.sweep(*weights_for(design, 3))
    assert type(sweep) is FactoredSweep
    dense = DenseDesign(written_out(vectors, chosen), moments)
    expected = a_pass(dense, dense.sweep(*weights_for(dense, 3)))
    for got, plain in zip(a_pass(design, sweep), expected, strict=True):
        near(got, plain, 1e-5)
