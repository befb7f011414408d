"""Two systems on the same targets: differences, their intervals, power, and how it is all said."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import f1_score

from layerwise.core.errors import DataError
from layerwise.results.compared import Compared, ComparisonTable, Side, sentences
from layerwise.results.comparison import (
    PairedDifference,
    minimum_detectable_difference,
    paired_difference,
)
from layerwise.results.comparison_table import (
    FORMATS,
    legend,
    to_csv,
    to_json,
    to_markdown,
    to_terminal,
)
from layerwise.results.permutation import PermutationTest, paired_permutation_test
from layerwise.results.records import Interval


def share(sums):
    """Right answers over targets: (..., 2) -> (...)."""
    return sums[..., 0] / sums[..., 1]


def f1(sums):
    """Of hits, gold and predicted: (..., 3) -> (...)."""
    return 2 * sums[..., 0] / np.maximum(1, sums[..., 1] + sums[..., 2])


def of_ones(values):
    return np.stack([values, np.ones_like(values)], axis=-1)


def predictions(seed, clusters=60, targets=8, wrong=(0.2, 0.3)):
    """Gold and two systems' yes and no, (clusters, targets)."""
    generator = np.random.default_rng(seed)
    gold = generator.random((clusters, targets)) < 0.4
    return gold, *(gold ^ (generator.random(gold.shape) < share) for share in wrong)


def counted(gold, predicted):
    return np.stack([(gold & predicted).sum(1), gold.sum(1), predicted.sum(1)], axis=1)


class TestPairedDifference:
    def test_of_a_mean_against_scipys_paired_bootstrap(self):
        a, b = np.random.default_rng(1).normal([[0.5], [0]], size=(2, 50))
        ours = paired_difference(share, of_ones(a)[None], of_ones(b)[None], replicates=20_000)
        theirs = scipy.stats.bootstrap(
            (a, b),
            lambda x, y, axis: x.mean(axis) - y.mean(axis),
            paired=True,
            n_resamples=20_000,
            method="percentile",
            rng=1,
        ).confidence_interval
        assert (ours.first, ours.second) == pytest.approx((a.mean(), b.mean()))
        assert ours.difference == pytest.approx(a.mean() - b.mean())
        width = theirs.high - theirs.low
        assert ours.interval.low == pytest.approx(theirs.low, abs=0.03 * width)
        assert ours.interval.high == pytest.approx(theirs.high, abs=0.03 * width)
        assert ours.test == paired_permutation_test(share, of_ones(a), of_ones(b))

    def test_of_f1_against_predictions_drawn_and_scored_one_by_one(self):
        gold, one, other = predictions(3)
        generator, values = np.random.default_rng(0), []
        for _ in range(100):
            drawn = generator.integers(60, size=60)
            flat = [each[drawn].ravel() for each in (gold, one, other)]
            values.append(f1_score(flat[0], flat[1]) - f1_score(flat[0], flat[2]))
        ours = paired_difference(
            f1, counted(gold, one)[None], counted(gold, other)[None], replicates=100
        )
        # The same generator draws the same clusters.
        expected = tuple(np.percentile(values, [2.5, 97.5]))
        assert (ours.interval.low, ours.interval.high) == pytest.approx(expected)
        assert ours.first == pytest.approx(f1_score(gold.ravel(), one.ravel()))
        assert ours.second == pytest.approx(f1_score(gold.ravel(), other.ravel()))

    def test_pairs_make_it_narrow(self):
        generator = np.random.default_rng(4)
        ease = generator.normal(size=80)
        a, b = ease + 0.1 * generator.normal(size=(2, 80)) + [[0.2], [0]]
        found = paired_difference(share, of_ones(a)[None], of_ones(b)[None])
        assert found.interval.high - found.interval.low < 0.3 * 4 * a.std() / np.sqrt(80)
        assert found.test.p_value < 0.01

    def test_several_seeds_are_averaged(self):
        generator = np.random.default_rng(5)
        first, second = generator.integers(0, 5, size=(2, 3, 10, 1)).astype(float)
        counts = [np.concatenate([each, np.full_like(each, 5)], axis=2) for each in (first, second)]
        found = paired_difference(share, *counts)
        assert (found.first, found.second) == pytest.approx((first.mean() / 5, second.mean() / 5))
        assert found.difference == pytest.approx(found.first - found.second)
        assert (found.seeds, found.clusters, found.interval.clusters) == (3, 10, 10)
        # Of a mean, seeds that swap together are as good as their sum; every swap is tried.
        joint = paired_permutation_test(share, *(each.sum(axis=0) for each in counts))
        assert found.test.p_value == joint.p_value
        one = paired_difference(share, counts[0][:1], counts[1][:1])
        assert one.seeds == 1 and one.first == pytest.approx(first[0].mean() / 5)

    def test_one_cluster_tells_nothing(self):
        found = paired_difference(share, np.array([[[3, 4]]]), np.array([[[1, 4]]]))
        assert found.difference == 0.5
        assert (found.interval, found.detectable, found.test.p_value) == (None, None, 1.0)

    @pytest.mark.parametrize(
        "shapes", [((1, 3, 2), (1, 4, 2)), ((1, 3, 2), (2, 3, 2)), ((3,), (3,)), ((0, 3, 2),) * 2]
    )
    def test_counts_that_do_not_fit_are_refused(self, shapes):
        with pytest.raises(DataError, match="no counts of the same clusters"):
            paired_difference(share, *(np.ones(shape) for shape in shapes))


class TestMinimumDetectableDifference:
    def test_of_a_mean_is_the_closed_form(self):
        a, b = np.random.default_rng(1).normal(size=(2, 25))
        error = scipy.stats.sem(a - b)
        t = scipy.stats.t(24)
        found = minimum_detectable_difference(share, of_ones(a), of_ones(b), alpha=0.1, power=0.9)
        assert found == pytest.approx((t.ppf(0.95) + t.ppf(0.9)) * error)

    def test_of_f1_is_near_that_of_a_bootstraps_spread(self):
        gold, one, other = predictions(7, clusters=200)
        generator = np.random.default_rng(1)
        weights = generator.multinomial(200, np.full(200, 1 / 200), size=4000)
        spread = np.std(f1(weights @ counted(gold, one)) - f1(weights @ counted(gold, other)))
        found = minimum_detectable_difference(f1, counted(gold, one), counted(gold, other))
        assert found == pytest.approx(2.8016 * spread, rel=0.06)  # z(.975) + z(.8)

    def test_in_blocks_it_is_the_same(self, monkeypatch):
        gold, one, other = predictions(7)
        counts = counted(gold, one), counted(gold, other)
        whole = minimum_detectable_difference(f1, *counts)
        monkeypatch.setattr("layerwise.results.comparison._BLOCK_VALUES", 20)
        assert minimum_detectable_difference(f1, *counts) == pytest.approx(whole)

    def test_without_spread_there_is_none(self):
        a = of_ones(np.arange(5.0))
        assert minimum_detectable_difference(share, a, a) is None
        assert minimum_detectable_difference(share, a[:1], 2 * a[:1]) is None

    def test_is_found_in_four_of_five_test_sets(self):
        assert power(400, clusters=40, swaps=199) == pytest.approx(0.79, abs=0.07)  # 3.5 errors

    @pytest.mark.slow
    @pytest.mark.parametrize("clusters", [15, 40, 150])
    def test_is_found_in_four_of_five_test_sets_at_length(self, clusters):
        # Three standard errors are .02; ties and drawing swaps cost the test a hundredth.
        assert power(4000, clusters, swaps=999) == pytest.approx(0.79, abs=0.025)


def power(rounds, clusters, swaps):
    """How often a difference in accuracy is found that is the detectable one of a large pilot."""
    generator = np.random.default_rng(2)

    def systems(number, gain):
        """Right answers of 10 in each cluster, which is easier or harder for both systems."""
        ease = generator.uniform(0.3, 0.7, size=number)
        return [generator.binomial(10, p) for p in (ease + gain / 2, ease - gain / 2)]

    def counts(values):
        return np.stack([values, np.full_like(values, 10)], axis=1)

    pilot = [counts(each) for each in systems(20_000, 0.0)]
    t = scipy.stats.t
    quantiles = [t.ppf([0.975, 0.8], number - 1).sum() for number in (20_000, clusters)]
    detectable = minimum_detectable_difference(share, *pilot)
    gain = detectable * np.sqrt(20_000 / clusters) * quantiles[1] / quantiles[0]
    found = [
        paired_permutation_test(
            share, *map(counts, systems(clusters, gain)), swaps=swaps, seed=seed
        ).p_value
        for seed in range(rounds)
    ]
    return np.mean(np.array(found) <= 0.05)


def row(difference=0.0213, p=0.0032, *, metric="f1", task="coref.v1", layers=(4, 2), **changes):
    """An invented comparison."""
    paired = PairedDifference(
        first=0.7 + difference,
        second=0.7,
        interval=Interval(
            low=difference - 0.013,
            high=difference + 0.013,
            confidence=0.95,
            clusters=30,
            replicates=1000,
        ),
        test=PermutationTest(difference, p, deciding=20, swaps=10_000, exact=False),
        detectable=0.0149,
        clusters=30,
        seeds=1,
    )
    sides = Side(layers[0], "block", "chosen on dev"), Side(layers[1], "block")
    made = Compared(task, "gum", metric, "document", *sides, paired, p)
    return replace(made, **changes)


def table(*rows, **changes):
    made = ComparisonTable("transformer", "lstm", rows, "holm")
    return replace(made, **changes)


class TestSentences:
    def test_the_first_is_better(self):
        [said] = sentences(table(row()))
        assert said == (
            "transformer (layer 4, chosen on dev) beats lstm (layer 2) on coref.v1 by 0.021 f1 "
            "[0.008, 0.034], p = 0.003; the smallest difference this test set could show is 0.015."
        )

    def test_the_first_is_worse(self):
        [said] = sentences(table(row(-0.0213)))
        assert "loses to lstm (layer 2) on coref.v1 by 0.021 f1 [0.008, 0.034], p" in said

    def test_nothing_is_shown(self):
        [said] = sentences(table(row(-0.0213, 0.051)))
        assert said.startswith(
            "no difference shown between transformer (layer 4, chosen on dev) and lstm (layer 2) "
            "on coref.v1: -0.021 f1 [-0.034, -0.008], p = 0.051;"
        )

    def test_a_lower_cost_is_better(self):
        [said] = sentences(table(row(-0.0213, metric="cross_entropy_nats")))
        assert "transformer (layer 4, chosen on dev) beats lstm" in said
        assert row(0.0213, metric="cross_entropy_nats").verdict == "loses"

    def test_the_adjusted_p_decides(self):
        assert row(p=0.01, adjusted_p=0.06).verdict == "no difference shown"
        assert row(p=0.01, adjusted_p=0.05).verdict == "beats"
        assert row(0.0, p=0.01).verdict == "no difference shown"

    @pytest.mark.parametrize(
        ("correction", "words"),
        [
            ("holm", "p = 0.003 after Holm"),
            ("bh", "p = 0.003 after Benjamini-Hochberg"),
            ("none", "p = 0.003 uncorrected"),
        ],
    )
    def test_a_family_is_named(self, correction, words):
        said = sentences(table(row(), row(task="pos.v1"), correction=correction))
        assert len(said) == 2 and all(f"{words};" in each for each in said)

    def test_a_small_p_has_no_digits(self):
        assert "p < 0.001;" in sentences(table(row(p=0.0001)))[0]

    def test_what_cannot_be_told_is_not(self):
        known = row()
        alike = replace(known.paired, detectable=None)
        assert "could show is unknown" in sentences(table(replace(known, paired=alike)))[0]
        never = replace(alike, test=PermutationTest(0.0, 1.0, 0, 1, True))
        [said] = sentences(table(replace(known, paired=never, adjusted_p=1.0)))
        assert said.endswith("p = 1.000; the two score alike in every document.")
        alone = replace(known.paired, detectable=None, interval=None, clusters=1)
        assert "one document alone" in sentences(table(replace(known, paired=alone)))[0]

    def test_layer_by_layer_they_are_counted_up(self):
        rows = [row(layers=(0, 0), p=0.3), row(layers=(1, 1)), row(-0.1, layers=(2, 2))]
        assert sentences(table(*rows)) == [
            "transformer against lstm on coref.v1, layer by layer: beats at 1; loses at 2; "
            "no difference shown at 0 (p at most 0.05 after Holm)."
        ]

    @pytest.mark.parametrize("fixed", [0, 1])
    def test_one_layer_against_each(self, fixed):
        pairs = [(3, other) if fixed == 0 else (other, 3) for other in (0, 1, 2)]
        [said] = sentences(table(*(row(layers=pair) for pair in pairs)))
        sides = (
            ["transformer (layer 3)", "lstm"] if fixed == 0 else ["transformer", "lstm (layer 3)"]
        )
        assert said.startswith(f"{sides[0]} against {sides[1]} on coref.v1, layer by layer: ")
        assert "beats at 0, 1, 2 (" in said


NUMBERS = {"A": "score_a", "B": "score_b", "A less B": "difference", "smallest": "smallest"}


class TestFormats:
    rows = (row(), row(-0.0456, 0.00004, task="pos.v1", metric="accuracy", layers=(11, 3)))

    def test_numbers_agree_in_all_of_them(self):
        made = table(*self.rows)
        lines = [line for line in to_markdown(made).splitlines() if line.startswith("|")]
        heads, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
        shown = [dict(zip(heads, cells, strict=True)) for cells in body]
        plain = list(csv.DictReader(io.StringIO(to_csv(made))))
        whole = json.loads(to_json(made))["comparisons"]
        printed = to_terminal(made)
        for known, one, two, three in zip(made.rows, shown, plain, whole, strict=True):
            for name, key in NUMBERS.items():
                assert float(one[name]) == float(two[key]) == round(three[key], 3)
                assert one[name] in printed
            interval = known.paired.interval
            assert (three["low"], three["high"]) == (interval.low, interval.high)
            ends = f"[{two['low']}, {two['high']}]"
            assert one["95 % interval"].replace("\\", "") == ends and ends in printed
            assert one["layers A, B"] == f"{two['layer_a']}, {two['layer_b']}"
            assert one["verdict"] == two["verdict"] == three["verdict"] == known.verdict
            assert float(two["p"]) == three["p"] == known.paired.test.p_value
        assert [one["p"] for one in shown] == ["0.003", "&lt;0.001"]

    def test_what_is_unknown_is_empty(self):
        paired = replace(row().paired, interval=None, detectable=None)
        made = table(row(paired=paired))
        [plain] = csv.DictReader(io.StringIO(to_csv(made)))
        assert plain["low"] == plain["high"] == plain["smallest"] == ""
        [whole] = json.loads(to_json(made))["comparisons"]
        assert whole["low"] is whole["smallest"] is None
        assert "| – |" in to_markdown(made)

    def test_hostile_names_do_nothing(self):
        made = table(row(task="=1+1\x1b[2J|<b>"), first="\x1b]0;x\x07=cmd", notes=("<script>\n|",))
        for text in (to_terminal(made), to_terminal(made, styled=True), to_markdown(made)):
            assert "\x1b]" not in text and "\x1b[2J" not in text and "\x07" not in text
        assert "<script>" not in to_markdown(made) and "<b>" not in to_markdown(made)
        [plain] = csv.DictReader(io.StringIO(to_csv(made)))
        assert plain["task"].startswith("'=") and "\x1b" not in plain["encoder_a"]
        json.loads(to_json(made))

    @pytest.mark.parametrize("width", [60, 100, 160])
    def test_a_terminal_is_never_overrun(self, width):
        made = table(row(task="morph:Definite_and_more.v1"), *self.rows)
        assert max(map(len, to_terminal(made, width=width).splitlines())) <= width

    def test_the_legend_tells_how_it_was_made(self):
        exact = replace(row().paired, test=PermutationTest(0.1, 0.02, 8, 256, True), seeds=3)
        exact = replace(exact, clusters=45)
        text = "\n".join(legend(table(row(), row(task="arc.v1", paired=exact), notes=("a note",))))
        for words in (
            *(
                "A: transformer; B: lstm",
                "f1 (coref.v1, arc.v1)",
                "30–45 documents a task",
                "10,000 random swaps",
            ),
            *("every swap in 1 of 2", "Holm over 2 comparisons", "80 %", "fitted once", "a note"),
        ):
            assert words in text
        assert "too narrow" not in text
        few = legend(table(row(paired=replace(exact, clusters=9))))
        assert "intervals from so few clusters are too narrow: coref.v1" in few
        alone = legend(table(row(paired=exact)))
        assert not any("fitted once" in line or "random" in line for line in alone)

    def test_all_are_there(self):
        assert list(FORMATS) == ["md", "csv", "json"]
