"""Costs whose parts are known, coverage by count, and files that give the same model again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.cost_model import CostModel, Floats, PartsAndTrees

Features = list[dict[str, float]]


def measured(count: int, seed: int, noise: float = 0.0) -> tuple[Features, Floats]:
    """Descriptions whose cost is 2 + 3 a + 0.01 b, times log-normal noise."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 20, count), rng.integers(0, 5000, count)
    costs = (2 + 3 * a + 0.01 * b) * np.exp(noise * rng.standard_normal(count))
    return [{"a": float(x), "b": float(y)} for x, y in zip(a, b, strict=True)], costs


class TestParts:
    def test_prices_are_found_though_some_measurements_are_wild(self) -> None:
        features, costs = measured(60, 0)
        costs[::10] *= 8
        rows = np.array([[1.0, each["a"], each["b"]] for each in features])
        assert PartsAndTrees().fit(rows, costs).prices == pytest.approx([2, 3, 0.01], rel=0.02)

    def test_trees_learn_what_no_sum_is(self) -> None:
        features, costs = measured(300, 1)
        costs *= np.array([3.0 if each["a"] >= 10 else 1.0 for each in features])
        new, true = measured(100, 2)
        true *= np.array([3.0 if each["a"] >= 10 else 1.0 for each in new])
        said = CostModel(folds=2).fit(features, costs).predict(new)
        assert np.median(np.abs(said / true - 1)) < 0.05


class TestCostModel:
    def test_it_tells_new_costs(self) -> None:
        model = CostModel(folds=5).fit(*measured(80, 3, 0.01))
        new, true = measured(50, 4)
        assert np.abs(model.predict(new) / true - 1).max() < 0.05

    def test_intervals_cover_as_often_as_they_say(self) -> None:
        model = CostModel(folds=5).fit(*measured(200, 5, 0.1))
        new, true = measured(1000, 6, 0.1)
        for confidence in (0.5, 0.9):
            low, high = model.interval(new, confidence)
            assert np.mean((low <= true) & (true <= high)) == pytest.approx(confidence, abs=0.06)

    def test_intervals_are_those_of_the_definition(self) -> None:
        """Barber et al. 2021, (1) and section 3, a description and a measurement at a time."""
        features, costs = measured(9, 7, 0.2)
        model = CostModel(folds=9).fit(features, costs)
        new = {"a": 4.0, "b": 100.0}
        lows, highs = [], []
        for out in range(9):
            rest = [at for at in range(9) if at != out]
            # As in the model, all but the held out one; nothing else of it is used.
            part = PartsAndTrees().fit(
                np.array([[features[at]["a"], features[at]["b"], 1.0] for at in rest]), costs[rest]
            )
            held, said = part.predict(
                np.array([[each["a"], each["b"], 1.0] for each in (features[out], new)])
            )
            error = abs(np.log(costs[out]) - held)
            lows.append(said - error)
            highs.append(said + error)
        low, high = model.interval([new], 0.8)
        assert np.log(low) == pytest.approx(sorted(lows)[1])  # the 2nd of 9: 0.2 of 10
        assert np.log(high) == pytest.approx(sorted(highs)[7])

    def test_too_few_to_tell_are_told(self) -> None:
        model = CostModel(folds=3).fit(*measured(8, 8))
        low, high = model.interval([{"a": 1.0}], 0.9)
        assert low == [0] and high == [np.inf]
        assert np.isfinite(model.interval([{"a": 1.0}], 0.8)[1])

    def test_what_is_beyond_the_measurements_is_named(self) -> None:
        model = CostModel(folds=2).fit(*measured(30, 9))
        assert model.outside({"a": 3.0, "b": 2500.0}) == []
        assert model.outside({"a": 30.0, "b": 2500.0, "c": 1.0}) == ["a", "c"]

    @pytest.mark.parametrize(
        ("features", "costs", "told"),
        [
            ([{"a": 1.0}] * 3, [1.0] * 3, "at least 4"),
            ([{"a": 1.0}] * 5, [1.0] * 4, "5 descriptions and 4 costs"),
            ([{"a": 1.0}] * 4, [1.0, 2.0, 0.0, 1.0], "not above 0"),
            ([{"a": 1.0}] * 4, [1.0, 2.0, np.nan, 1.0], "not above 0"),
            ([{"a": -1.0}] * 4, [1.0] * 4, "below 0"),
        ],
    )
    def test_bad_measurements_are_refused(
        self, features: Features, costs: list[float], told: str
    ) -> None:
        with pytest.raises(UsageError, match=told):
            CostModel().fit(features, costs)

    def test_bad_settings_are_refused(self) -> None:
        with pytest.raises(UsageError, match="two or more"):
            CostModel(folds=1)
        with pytest.raises(UsageError, match="share of cases"):
            CostModel(folds=2).fit(*measured(10, 0)).interval([{}], 90)


class TestAnotherDevice:
    def test_ten_measurements_do_where_all_of_it_is_slower(self) -> None:
        """Alone they could not: the cost has forty parts."""
        rng = np.random.default_rng(10)
        prices = rng.exponential(size=40)

        def described(count: int) -> tuple[Features, Floats]:
            counts = rng.integers(0, 9, (count, 40))
            features = [{f"{n}": float(x) for n, x in enumerate(row)} for row in counts]
            return features, counts @ prices

        source = CostModel(folds=2).fit(*described(150))
        few, costs = described(10)
        new, true = described(100)
        error = {}
        for of in (source, None):
            model = CostModel(folds=5, source=of).fit(few, 5 * costs)
            error[of] = np.median(np.abs(model.predict(new) / (5 * true) - 1))
            low, high = model.interval(new)
            assert np.mean((low <= 5 * true) & (5 * true <= high)) > 0.8
        assert error[source] < 0.02 < 0.05 < error[None]


class TestFile:
    def test_gives_the_same_model(self, tmp_path: Path) -> None:
        source = CostModel(folds=3, seed=4).fit(*measured(60, 13, 0.1))
        model = CostModel(folds=4, source=source).fit(*measured(20, 14, 0.1))
        model.facts = {"cost": "latency"}
        model.save(tmp_path / "model.json")
        again = CostModel.load(tmp_path / "model.json")
        new, _ = measured(9, 15)
        assert (again.predict(new) == model.predict(new)).all()
        assert (np.array(again.interval(new)) == np.array(model.interval(new))).all()
        assert again.facts == model.facts and again.outside(new[0]) == model.outside(new[0])

    @pytest.mark.parametrize(
        "text", ["{}", "[]", "3", '{"format": "layerwise cost model", "version": 9}', "no JSON"]
    )
    def test_another_is_refused(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "model.json").write_text(text)
        with pytest.raises(DataError, match=r"model\.json"):
            CostModel.load(tmp_path / "model.json")

    def test_bad_measurements_in_it_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "model.json"
        CostModel(folds=2).fit(*measured(10, 0)).save(path)
        document = json.loads(path.read_text())
        document["costs"][3] = -1.0
        path.write_text(json.dumps(document))
        with pytest.raises(DataError, match="no cost model"):
            CostModel.load(path)
