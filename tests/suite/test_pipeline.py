"""From text to records: true numbers, the same ones every time, and nothing done twice."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from layerwise.core.errors import DataError, LayerwiseError, ModelError, UsageError
from layerwise.core.types import Document, Span, Target
from layerwise.probes.linear import LinearProbe
from layerwise.results.records import Record
from layerwise.suite import pipeline
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import Outcome, evaluate

Config = Callable[..., RunConfig]


def labels(corpus: Path, split: str) -> list[tuple[str, str]]:
    """The words and their parts of speech, read without any of our code."""
    lines = (corpus / f"tiny-{split}.conllu").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line[:1].isdigit()]
    return [(row[1], row[3]) for row in rows]


def score(outcome: Outcome, layer: int) -> float:
    return next(r.scores["accuracy"] for r in outcome.records if r.key.layer == layer)


class TestNumbers:
    @pytest.fixture
    def records(self, fake: Any, config: Config) -> dict[int, Record]:
        fake()
        return {record.key.layer: record for record in evaluate(config()).records}

    def test_the_layer_with_the_labels_wins_and_noise_is_near_the_majority(
        self, records: dict[int, Record], corpus: Path
    ) -> None:
        test = Counter(part for _, part in labels(corpus, "test"))
        common = max(
            Counter(part for _, part in labels(corpus, "train")).items(), key=lambda i: i[1]
        )
        majority = test[common[0]] / test.total()
        assert records[1].scores["accuracy"] == 1.0
        assert abs(records[0].scores["accuracy"] - majority) < 0.12
        assert majority < 0.75

    def test_counts_are_those_of_the_files(self, records: dict[int, Record], corpus: Path) -> None:
        test = labels(corpus, "test")
        assert records[0].counts == {
            **{
                f"{split}_targets": len(labels(corpus, split)) for split in ("train", "dev", "test")
            },
            "targets": len(test),
            "clusters": 18,
            "unseen_labels": 0,
            # No word of one split is in another.
            "targets[form=unseen]": len(test),
            "targets[lemma=unseen]": len(test),
            "classes": 3,
            "features": 4,
        }

    def test_baselines_are_those_of_a_count_by_hand(
        self, records: dict[int, Record], corpus: Path
    ) -> None:
        train, test = labels(corpus, "train"), labels(corpus, "test")
        common = Counter(part for _, part in train).most_common(1)[0][0]
        right = sum(part == common for _, part in test) / len(test)
        assert not {word for word, _ in train} & {word for word, _ in test}
        for record in records.values():
            assert record.baselines["majority"]["accuracy"] == pytest.approx(right)
            assert record.baselines["per-type majority"]["accuracy"] == pytest.approx(right)
            assert record.baselines["per-type majority"]["seen_types"] == 0

    def test_intervals_contain_their_scores(self, records: dict[int, Record]) -> None:
        for record in records.values():
            assert record.interval is not None and record.interval.clusters == 18
            assert record.interval.low <= record.scores["accuracy"] <= record.interval.high
        assert records[0].interval.high - records[0].interval.low > 0.05  # type: ignore[union-attr]

    def test_words_that_train_knows_have_a_baseline_of_their_own(
        self, fake: Any, config: Config, corpus: Path
    ) -> None:
        text = (corpus / "tiny-train.conllu").read_text()
        (corpus / "tiny-test.conllu").write_text(text.replace("train-", "test-"))
        fake()
        for record in evaluate(config()).records:
            assert record.baselines["per-type majority"]["accuracy"] == 1.0
            assert record.baselines["per-type majority"]["seen_types"] == 1.0
            assert record.baselines["majority"]["accuracy"] < 0.7

    def test_pairs_and_their_pooling_reach_the_probe(self, fake: Any, config: Config) -> None:
        fake()
        pairs = evaluate(config(task=("deprel",), span_pooling="endpoints", layers="1")).records
        assert [record.status for record in pairs] == ["failed"]  # one label alone
        words = evaluate(config(span_pooling="endpoints", layers="1")).records
        assert words[0].counts["features"] == 8 and words[0].scores["accuracy"] == 1.0


class TestSameAgain:
    def test_a_second_fresh_run_gives_the_same_records(
        self, fake: Any, config: Config, lasting: Any, tmp_path: Path, monkeypatch: Any
    ) -> None:
        fake()
        first = evaluate(config())
        monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "other cache"))
        second = evaluate(config(output=tmp_path / "other run"))
        assert first.computed == second.computed == 2
        assert lasting(first.records) == lasting(second.records)

    @pytest.mark.parametrize(
        "change",
        [
            {"batch_words": 3},
            {"workers": 2, "engine": "threads"},
            {"workers": 2, "engine": "processes"},
            {"layers": "1,0"},
            {"encoder": ("other", "fake")},
            {"task": ("morph:Number", "pos")},
        ],
        ids=lambda change: " ".join(map(str, change.values())),
    )
    def test_what_decides_no_number_changes_none(
        self,
        change: dict[str, Any],
        fake: Any,
        config: Config,
        lasting: Any,
        tmp_path: Path,
        monkeypatch: Any,
    ) -> None:
        fake()
        fake("other", weight=2.0)
        plain = evaluate(config()).records
        monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "other cache"))
        changed = evaluate(config(output=tmp_path / "other run", **change)).records
        asked = [r for r in changed if (r.key.encoder, r.key.task) == ("fake", "pos.v1")]
        assert lasting(asked) == lasting(plain)

    def test_the_same_command_again_computes_nothing(
        self, fake: Any, config: Config, tmp_path: Path, monkeypatch: Any
    ) -> None:
        encoder = fake()
        first = evaluate(config())
        assert first.computed == 2 and encoder.calls == 20
        file = tmp_path / "run" / "records.jsonl"
        before = file.read_bytes()
        monkeypatch.setattr(pipeline, "Store", None)
        again = evaluate(config())
        assert again.computed == 0 and encoder.calls == 20
        assert again.records == first.records and file.read_bytes() == before

    def test_another_task_does_not_encode_again(self, fake: Any, config: Config) -> None:
        encoder = fake()
        evaluate(config())
        more = evaluate(config(task=("pos", "morph:Number")))
        assert more.computed == 2 and len(more.records) == 4 and encoder.calls == 20

    def test_a_lost_record_is_measured_again_alone(
        self, fake: Any, config: Config, lasting: Any, tmp_path: Path
    ) -> None:
        fake()
        first = evaluate(config())
        file = tmp_path / "run" / "records.jsonl"
        kept = [line for line in file.read_text().splitlines() if '"layer":0,' in line]
        assert len(kept) == 1
        file.write_text(kept[0] + "\n")
        again = evaluate(config())
        assert again.computed == 1 and lasting(again.records) == lasting(first.records)
        assert file.read_text().splitlines()[0] == kept[0]

    def test_a_torn_record_is_told_and_measured_again(
        self, fake: Any, config: Config, lasting: Any, tmp_path: Path
    ) -> None:
        fake()
        first = evaluate(config())
        file = tmp_path / "run" / "records.jsonl"
        file.write_bytes(file.read_bytes()[:-40])
        again = evaluate(config())
        assert again.computed == 1 and lasting(again.records) == lasting(first.records)
        assert len(again.problems) == 1 and "records.jsonl:2" in again.problems[0]

    def test_a_unit_that_is_asked_for_twice_is_measured_once(
        self, fake: Any, config: Config
    ) -> None:
        fake()
        outcome = evaluate(config(encoder=("fake",) * 2, task=("pos",) * 2, layers="0,0"))
        assert outcome.computed == len(outcome.records) == 1


class TestIdentity:
    def test_other_weights_under_the_same_name_are_another_encoder(
        self, fake: Any, config: Config, recorded: Any, tmp_path: Path
    ) -> None:
        fake(weight=1.0)
        evaluate(config())
        changed = fake(weight=0.0)  # knows nothing now
        outcome = evaluate(config())
        assert outcome.computed == 2 and changed.calls == 20
        assert score(outcome, 1) < 0.8
        assert len(recorded(tmp_path / "run")) == 4

    @pytest.mark.parametrize("change", ["a label", "a word"])
    def test_changed_data_is_other_data(
        self, change: str, fake: Any, config: Config, corpus: Path
    ) -> None:
        encoder = fake()
        evaluate(config())
        file = corpus / "tiny-dev.conllu"
        old, new = ("NOUN", "PROPN") if change == "a label" else ("ndev", "ndevil")
        file.write_text(file.read_text().replace(old, new, 1))
        assert evaluate(config()).computed == 2
        assert encoder.calls == (20 if change == "a label" else 24)

    @pytest.mark.parametrize("setting", [{"span_pooling": "first"}, {"probe": "strong"}])
    def test_another_setting_is_another_unit(
        self, setting: dict[str, Any], fake: Any, config: Config, register: Any
    ) -> None:
        fake()
        register("probe", "strong", lambda: LinearProbe(l2=[1e5]))
        evaluate(config())
        assert evaluate(config(**setting)).computed == 2

    def test_where_and_how_it_ran_is_no_other_unit(self, fake: Any, config: Config) -> None:
        fake()
        evaluate(config())
        assert evaluate(config(batch_words=1, engine="threads", workers=3)).computed == 0


class Moody:
    """A probe of another's, which fits one problem at a time.

    Fails as told, where the features are the letters.
    """

    name, version = "moody", "v1"

    def __init__(self, mood: list[str]) -> None:
        self.own = LinearProbe(l2=[1.0])
        self.mood = mood

    def settings(self):
        return self.own.settings()

    def fit(self, X, y, X_dev, y_dev, *, classes):
        match self.mood[0] if X.max() == 1 else "":
            case "raises":
                raise RuntimeError("no\n  luck")
            case "memory":
                raise MemoryError
            case "exit":
                raise KeyboardInterrupt
        self.own.fit(X, y, X_dev, y_dev, classes=classes)
        return self

    def predict_proba(self, X):
        probabilities = self.own.predict_proba(X)
        match self.mood[0] if X.max() == 1 else "":
            case "nan":
                probabilities[0] = np.nan
            case "shape":
                return probabilities[:, :-1]
            case "no distribution":
                return probabilities * 2
        return probabilities

    def fit_report(self):
        return {"odd": {1, 2}} if self.mood[0] == "report" else self.own.fit_report()


class TestFailures:
    @pytest.fixture
    def mood(self, register: Any, fake: Any) -> list[str]:
        mood = [""]
        register("probe", "moody", lambda: Moody(mood))
        fake()
        return mood

    @pytest.mark.parametrize("how", ["raises", "memory", "nan", "shape", "no distribution"])
    def test_a_unit_that_fails_is_recorded_and_the_others_are_measured(
        self, how: str, mood: list[str], config: Config
    ) -> None:
        mood[0] = how
        outcome = evaluate(config(probe="moody"))
        good, bad = sorted(outcome.records, key=lambda r: r.key.layer)
        assert (good.status, bad.status) == ("ok", "failed")
        assert bad.error and "\n" not in bad.error and bad.scores == {}
        if how == "raises":
            assert bad.error == "RuntimeError: no luck"

    def test_a_report_that_no_record_can_hold_fails_its_units_alone(
        self, mood: list[str], config: Config
    ) -> None:
        mood[0] = "report"
        assert {r.status for r in evaluate(config(probe="moody")).records} == {"failed"}

    def test_a_failed_unit_is_tried_again_and_a_good_one_is_not(
        self, mood: list[str], config: Config, recorded: Any, tmp_path: Path
    ) -> None:
        mood[0] = "raises"
        evaluate(config(probe="moody"))
        assert evaluate(config(probe="moody")).computed == 1
        mood[0] = ""
        outcome = evaluate(config(probe="moody"))
        assert outcome.computed == 1 and score(outcome, 1) == 1.0
        assert {record.status for record in recorded(tmp_path / "run")} == {"ok"}
        assert evaluate(config(probe="moody")).computed == 0

    def test_an_interrupt_keeps_what_is_finished_and_the_rest_follows(
        self, mood: list[str], config: Config, lasting: Any, recorded: Any, tmp_path: Path
    ) -> None:
        mood[0] = "exit"
        with pytest.raises(KeyboardInterrupt):
            evaluate(config(probe="moody"))
        assert [record.key.layer for record in recorded(tmp_path / "run")] == [0]
        mood[0] = ""
        outcome = evaluate(config(probe="moody"))
        assert outcome.computed == 1
        undisturbed = evaluate(config(probe="moody", output=tmp_path / "undisturbed"))
        assert lasting(outcome.records) == lasting(undisturbed.records)

    @pytest.mark.parametrize("where", ["encode", "load", "import", "settings", "shape"])
    def test_an_encoder_that_fails_is_told_and_the_others_run(
        self, where: str, fake: Any, register: Any, config: Config
    ) -> None:
        fake()
        broken = fake("broken", fail_at=15 if where == "encode" else -1, weight=3.0)

        def unloadable(argument: str, options: Any) -> Any:
            raise OSError("no weights")

        class Unset(type(broken)):  # type: ignore[misc]
            @property
            def settings(self) -> dict[str, str]:
                raise AttributeError("none") from None

            @property
            def final_norm(self) -> bool:
                raise RuntimeError("undecided")

        class Short(type(broken)):  # type: ignore[misc]
            def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
                yield from (array[:, 1:] for array in super().encode(documents))

        if where == "load":
            register("encoder", "broken", unloadable)
        elif where == "import":
            register("encoder", "broken", ImportError("no such library"))
        elif where == "settings":
            register("encoder", "broken", lambda argument, options: Unset())
        elif where == "shape":
            register("encoder", "broken", lambda argument, options: Short(weight=5.0))
        outcome = evaluate(config(encoder=("broken", "fake")))
        assert list(outcome.errors) == ["broken"]
        error = outcome.errors["broken"]
        assert "encoder broken" in str(error) and "\n" not in str(error)
        assert error.exit_code in (2, 3)
        assert [record.key.encoder for record in outcome.records] == ["fake"] * 2

    def test_an_encoder_that_is_mended_goes_on(
        self, fake: Any, config: Config, lasting: Any, tmp_path: Path
    ) -> None:
        fake(fail_at=15)
        assert evaluate(config()).errors
        fake()
        outcome = evaluate(config())
        assert outcome.computed == 2 and not outcome.errors and score(outcome, 1) == 1.0

    def test_layers_that_one_encoder_lacks_are_measured_of_the_others(
        self, fake: Any, config: Config
    ) -> None:
        fake()
        outcome = evaluate(config(encoder=("random-vectors:4", "fake"), layers="1"))
        assert [r.key.encoder for r in outcome.records] == ["fake"]
        assert "outside the layers 0 to 0" in str(outcome.errors["random-vectors:4"])

    def test_an_unknown_name_is_found_before_anything_is_computed(
        self, fake: Any, config: Config, tmp_path: Path
    ) -> None:
        encoder = fake()
        for wrong in ({"encoder": ("fake", "fke")}, {"task": ("pos", "poss")}, {"probe": "x"}):
            with pytest.raises(UsageError):
                evaluate(config(**wrong))
        assert encoder.calls == 0 and not (tmp_path / "run").exists()

    def test_an_output_that_is_no_folder_is_found_before_anything_is_computed(
        self, fake: Any, config: Config, tmp_path: Path
    ) -> None:
        encoder = fake()
        (tmp_path / "file").write_text("mine")
        with pytest.raises(UsageError, match="file: this folder cannot be made"):
            evaluate(config(output=tmp_path / "file"))
        assert encoder.calls == 0 and (tmp_path / "file").read_text() == "mine"


class Odd:
    """A task of a plugin; ``fault`` tells what is wrong with it."""

    name, version, metric, positive = "odd", "v1", "accuracy", None

    def __init__(self, fault: str) -> None:
        if fault == "constructor":
            raise KeyError("constructor")
        self.fault = fault
        self.facts: dict[str, Any] = {"odd": {1}} if fault == "facts" else {}
        if fault == "positive":
            self.metric, self.positive = "f1", "yes"

    def targets(self, document: Any) -> Iterator[Target]:
        if self.fault == "targets":
            raise KeyError("targets")
        end = len(document.words) + 1 if self.fault == "span" else 1
        yield Target(document.document.id, Span(0, end), None, document.words[0].upos)


class TestDegenerateData:
    @pytest.mark.parametrize(
        "fault, told",
        [
            ("constructor", "task odd: fails (KeyError: 'constructor')"),
            ("targets", "task odd: fails (KeyError: 'targets')"),
            ("facts", "task odd: fails (TypeError: Object of type set"),
            ("span", "task odd.v1, train split: the span (0, "),
            ("positive", "task odd.v1: no target of train has the label 'yes'"),
        ],
    )
    def test_a_task_that_is_broken_is_named_before_anything_is_computed(
        self, fault: str, told: str, register: Any, fake: Any, config: Config
    ) -> None:
        encoder = fake()
        register("task", "odd", lambda argument: Odd(fault))
        with pytest.raises(LayerwiseError) as caught:
            evaluate(config(task=("pos", "odd")))
        assert str(caught.value).startswith(told) and caught.value.exit_code == 3
        assert encoder.calls == 0

    def test_one_label_alone_is_a_failed_unit_and_the_other_task_is_measured(
        self, fake: Any, config: Config
    ) -> None:
        fake()
        outcome = evaluate(config(task=("deprel", "pos")))
        status = {(r.key.task, r.status): r.error for r in outcome.records}
        assert status == {
            ("deprel.v1", "failed"): "deprel.v1: only one label in train: 'dep'",
            ("pos.v1", "ok"): None,
        }

    def test_no_target_at_all_is_an_error_that_names_task_and_data(
        self, fake: Any, config: Config
    ) -> None:
        fake()
        with pytest.raises(DataError, match=r"--task morph:Case --data .*: the train split has"):
            evaluate(config(task=("morph:Case",)))

    def test_a_split_without_targets_is_an_error_that_names_it(
        self, fake: Any, config: Config, corpus: Path
    ) -> None:
        fake()
        text = (corpus / "tiny-test.conllu").read_text()
        for part in ("NOUN", "VERB", "DET"):
            text = text.replace(part, "_")
        (corpus / "tiny-test.conllu").write_text(text)
        with pytest.raises(DataError, match=r"--task pos .*: the test split has nothing to label"):
            evaluate(config())

    def test_a_missing_split_is_an_error_that_names_it(
        self, fake: Any, config: Config, corpus: Path
    ) -> None:
        fake()
        (corpus / "tiny-dev.conllu").unlink()
        with pytest.raises(DataError, match="no dev file"):
            evaluate(config())

    @pytest.mark.parametrize("split", ["dev", "test", "both"])
    def test_labels_that_train_lacks_leave_finite_scores(
        self, split: str, fake: Any, config: Config, corpus: Path
    ) -> None:
        fake()
        for name in ("dev", "test") if split == "both" else (split,):
            file = corpus / f"tiny-{name}.conllu"
            text = file.read_text()
            for part in ("NOUN", "VERB", "DET"):
                text = text.replace(part, "X")
            file.write_text(text)
        for record in evaluate(config()).records:
            assert record.status == "ok"
            assert all(math.isfinite(value) for value in record.scores.values())
            unseen = record.counts["targets"] if split != "dev" else 0
            assert record.counts["unseen_labels"] == unseen
            if unseen:
                assert record.scores["accuracy"] == 0

    def test_the_file_of_records_holds_strict_json_only(
        self, fake: Any, config: Config, tmp_path: Path
    ) -> None:
        fake()
        evaluate(config(task=("pos", "deprel")))

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        for line in (tmp_path / "run" / "records.jsonl").read_text().splitlines():
            json.loads(line, parse_constant=refuse)

    def test_a_model_error_says_where_the_encoder_broke(self, fake: Any, config: Config) -> None:
        fake(fail_at=3)
        error = evaluate(config()).errors["fake"]
        assert isinstance(error, ModelError)
        assert str(error) == (
            "encoder fake: fails (RuntimeError: the fake encoder is broken); "
            "`probe --debug` shows where"
        )
