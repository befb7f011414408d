"""NAS-Bench-201 as a space with published results."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.protocols import Table
from layerwise.encoders.search.tables.nasbench_201 import NasBench201, nasbench_201

needs_data = pytest.mark.skipif(
    not os.environ.get("LAYERWISE_DATA"), reason="no real data; set LAYERWISE_DATA"
)


@pytest.fixture
def space() -> NasBench201:
    return NasBench201("nasbench-201:none", {"333133": 91.0}, {"333133": 94.0})


def test_losses_are_shares_of_errors(space: NasBench201) -> None:
    assert isinstance(space, Table)
    assert space.runs("333133") == pytest.approx((0.09,))
    assert space.test_runs("333133") == pytest.approx((0.06,))
    assert space.curve("333133") == ()


def test_all_neighbours_differ_in_one_digit_and_come_alike(space: NasBench201) -> None:
    rng = random.Random(0)
    counts = Counter(space.mutate("333133", rng) for _ in range(24_000))
    assert len(counts) == 6 * 4
    assert all(sum(a != b for a, b in zip(each, "333133", strict=True)) == 1 for each in counts)
    assert all(abs(count - 1000) < 5 * 1000**0.5 for count in counts.values())


def test_a_child_has_each_digit_from_a_parent(space: NasBench201) -> None:
    rng = random.Random(0)
    children = {space.cross("012340", "043210", rng) for _ in range(400)}
    assert len(children) == 2**4
    assert all(child[i] in ("012340"[i], "043210"[i]) for child in children for i in range(6))


def test_genes_are_the_digits(space: NasBench201) -> None:
    assert space.decode([3, 3, 3, 1, 3, 3]) == "333133"
    for text in ("33313", "3331333", "333153", "abcdef", "-33133"):
        with pytest.raises(DataError, match="write 6 digits"):
            space.read(text)


def test_an_anonymous_description_is_digits_alone(space: NasBench201) -> None:
    assert "3: 3x3 convolution" in space.describe()
    told = space.describe(anonymous=True)
    assert "convolution" not in told
    assert "edge" not in told
    assert space.read(told.rpartition(": ")[2])


def test_an_unknown_data_set_is_met_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean cifar10"):
        nasbench_201("cifar11")


@needs_data
@pytest.mark.parametrize(
    ("data", "best_test"), [("cifar10", 94.37), ("cifar100", 73.51), ("imagenet16", 47.31)]
)
def test_the_published_optima(data: str, best_test: float) -> None:
    space = nasbench_201(data)
    digits = "01234"
    every = [a + b for a in (x + y + z for x in digits for y in digits for z in digits)
             for b in (x + y + z for x in digits for y in digits for z in digits)]  # fmt: skip
    errors = [space.test_runs(each)[0] for each in every]
    assert len(errors) == 15_625
    assert 100 * (1 - min(errors)) == pytest.approx(best_test, abs=0.005)


@needs_data
def test_nothing_behind_the_colon_is_cifar10() -> None:
    assert nasbench_201("") is nasbench_201()
