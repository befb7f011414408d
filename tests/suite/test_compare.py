"""`probe compare`, from the kept predictions of two sides to a sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import Target
from layerwise.results.compared import ComparisonTable
from layerwise.results.predictions import Predictions, read_predictions
from layerwise.results.records import Record, RecordFile
from layerwise.results.targets import read_targets
from layerwise.suite.compare import compare
from layerwise.suite.compared_system import read_system
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate
from layerwise.tasks.base import AnnotatedDocument

from .test_scheme import Balanced, SameLetter, Traits

Config = Callable[..., RunConfig]


class Named(Traits):
    """Nouns have a label that differs from split to split: training knows only its own."""

    name = "traits"

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        for target in super().targets(document):
            form = document.words[target.span1.start].form
            noun = (f"noun of {form[1:4]}",) if form.startswith("n") else ()
            yield target._replace(label=(*target.label, *noun))


class Choice(SameLetter):
    name = "choice"


class Pairs(Balanced):
    name = "pairs"


TASKS = ("pos", "traits", "choice", "pairs")


@pytest.fixture(scope="module")
def measured() -> list[Path]:
    """The folder of the run that all tests share, once one has measured it."""
    return []


@pytest.fixture
def run(
    fake: Any,
    config: Config,
    register: Any,
    measured: list[Path],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., list[Record]]:
    """A run of the fake encoder, whose layer 0 is noise and layer 1 the first letter, with the
    records of these tasks and layers."""
    fake()
    for kind in (Named, Choice, Pairs):
        register("task", kind.name, lambda argument, kind=kind: kind())

    def make(*tasks: str, layers: tuple[int, ...] = (0, 1), output: str = "run") -> list[Record]:
        if not measured:
            measured.append(tmp_path_factory.mktemp("measured"))
            evaluate(config(task=TASKS, output=measured[0]))
        found = RecordFile(measured[0] / "records.jsonl").read().records
        wanted = [
            record
            for record in found
            if record.key.task.rpartition(".")[0] in tasks and record.key.layer in layers
        ]
        for kept in ("predictions", "targets"):
            shutil.copytree(measured[0] / kept, tmp_path / output / kept, dirs_exist_ok=True)
        for record in wanted:
            RecordFile(tmp_path / output / "records.jsonl").append(record)
        return sorted(wanted, key=lambda record: record.key.layer)

    return make


def sides(folder: Path, a: str, b: str, other: Path | None = None, **options: Any) -> Any:
    return compare(read_system(folder, a, "--a"), read_system(other or folder, b, "--b"), **options)


def rewrite(folder: Path, change: Callable[[Record], Record | None]) -> None:
    """Put changed records (None: none) in place of a run's."""
    file = RecordFile(folder / "records.jsonl")
    found = file.read().records
    file.path.unlink()
    for record in found:
        changed = change(record)
        if changed is not None:
            file.append(changed)


def with_key(record: Record, folder: Path, **changes: Any) -> Record:
    """The record under another key, with its predictions."""
    fields = record.model_dump() | {"key": record.key.model_dump() | changes}
    del fields["id"]
    made = Record.model_validate(fields)
    kept = read_predictions(folder, record.id)
    assert kept is not None
    kept.write(folder, made.id)
    return made


def layers(table: ComparisonTable) -> list[tuple[int, int]]:
    return [(row.first.layer, row.second.layer) for row in table.rows]


def test_every_kind_of_task_is_counted_again(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    records = run(*TASKS)
    assert all(r.counts["unseen_labels"] for r in records if r.key.task == "traits.v1")
    table = sides(folder, "fake@1", "fake@0")
    assert {row.metric for row in table.rows} == {"accuracy", "micro_f1", "choice_accuracy", "f1"}
    for row in table.rows:
        scores = {r.key.layer: r.scores[r.metric] for r in records if r.key.task == row.task}
        assert row.paired.first == pytest.approx(scores[1])
        assert row.paired.second == pytest.approx(scores[0])
        assert row.paired.difference == pytest.approx(scores[1] - scores[0])
        drawn = {r.interval.clusters for r in records if r.key.task == row.task and r.interval}
        assert drawn == {row.paired.clusters} and row.cluster == "sentence"
        assert row.paired.seeds == 1
    assert {row.metric for row in table.rows if row.verdict == "beats"} >= {"accuracy"}
    assert all(row.adjusted_p >= row.paired.test.p_value for row in table.rows)


def test_swaps_of_the_kept_predictions_scored_by_scikit_learn(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    noise, letter = run("pairs")
    kept = [read_predictions(folder, record.id) for record in (letter, noise)]
    [row] = sides(folder, "fake@1", "fake@0").rows
    assert kept[0] is not None and kept[1] is not None
    targets = read_targets(folder, noise.key.data_hash)
    assert targets is not None
    yes = targets.classes.index("yes")
    gold, one, other = kept[0].gold, kept[0].predicted, kept[1].predicted
    assert gold is not None and one is not None and other is not None
    generator, extreme, rounds = np.random.default_rng(9), 0, 150
    found = f1_score(gold == yes, one == yes) - f1_score(gold == yes, other == yes)
    for _ in range(rounds):
        swapped = generator.random(int(kept[0].clusters.max()) + 1) < 0.5
        here = swapped[kept[0].clusters]
        a, b = np.where(here, other, one), np.where(here, one, other)
        difference = f1_score(gold == yes, a == yes) - f1_score(gold == yes, b == yes)
        extreme += abs(difference) >= abs(found) - 1e-12
    assert row.paired.difference == pytest.approx(found)
    assert row.paired.test.p_value == pytest.approx(extreme / rounds, abs=0.1)


class TestLayers:
    def test_the_best_is_chosen_on_dev_and_never_on_test(self, run: Any, tmp_path: Path) -> None:
        run("pos")
        assert layers(sides(tmp_path / "run", "fake", "fake@0")) == [(1, 0)]

        def on_dev(record: Record) -> Record:
            # Test says that layer 1 is better; here dev says that layer 0 is.
            return record.model_copy(update={"dev_scores": {"accuracy": 1.0 - record.key.layer}})

        rewrite(tmp_path / "run", on_dev)
        table = sides(tmp_path / "run", "fake", "fake@1")
        assert layers(table) == [(0, 1)]
        assert table.rows[0].first.chosen == "chosen on dev" and not table.rows[0].second.chosen
        assert table.rows[0].verdict == "loses"

    def test_the_lowest_of_equals(self, run: Any, tmp_path: Path) -> None:
        run("pos")
        rewrite(tmp_path / "run", lambda r: r.model_copy(update={"dev_scores": {"accuracy": 0.5}}))
        assert layers(sides(tmp_path / "run", "fake", "fake@1")) == [(0, 1)]

    def test_all(self, run: Any, tmp_path: Path) -> None:
        run("pos", "traits")
        # The same layer of the same unit tells nothing and is left out.
        assert layers(sides(tmp_path / "run", "fake", "fake@0", layers="all")) == [(1, 0)] * 2
        assert layers(sides(tmp_path / "run", "fake@-1", "fake", layers="all")) == [(1, 0)] * 2

    def test_all_of_two_encoders(self, run: Any, tmp_path: Path) -> None:
        second = run("pos")[1]
        file = RecordFile(tmp_path / "run" / "records.jsonl")
        file.append(with_key(second, tmp_path / "run", encoder="other", fingerprint="else"))
        table = sides(tmp_path / "run", "fake", "other", layers="all")
        assert layers(table) == [(1, 1)]
        assert "not compared: pos.v1, layers 0, which only one side has" in table.notes
        [row] = sides(tmp_path / "run", "fake", "other").rows
        assert row.second.chosen == "the only one measured"

    def test_no_score_on_dev_to_choose_by(self, run: Any, tmp_path: Path) -> None:
        run("pos", "choice")
        with pytest.raises(UsageError, match="name one, fake@LAYER, or take --layers all"):
            sides(tmp_path / "run", "fake", "fake@0", tasks=["choice"])
        table = sides(tmp_path / "run", "fake", "fake@0")
        assert [row.task for row in table.rows] == ["pos.v1"]
        assert any("not compared: choice: --a: choice.v1" in n for n in table.notes)

    def test_failed_layers_are_told(self, run: Any, tmp_path: Path) -> None:
        run("pos", layers=(1,))

        def failed(record: Record) -> Record:
            key = record.key.model_dump() | {"layer": 0}
            return Record(
                **{"key": key, "layer_name": "noise", "layers": 2, "metric": "accuracy"},
                **{"status": "failed", "error": "out of memory"},
            )

        file = RecordFile(tmp_path / "run" / "records.jsonl")
        [good] = file.read().records
        file.append(failed(good))
        other = with_key(good, tmp_path / "run", encoder="other")
        file.append(other)
        table = sides(tmp_path / "run", "fake", "other")
        assert "failed and left out: fake, pos.v1, layers 0" in table.notes


class TestRefusals:
    def test_records_without_predictions(self, run: Any, tmp_path: Path) -> None:
        records = run("pos", "traits")
        (tmp_path / "run" / "predictions" / f"{records[0].id}.npz").unlink()
        with pytest.raises(DataError, match=r"no predictions of .* measure it again") as refused:
            sides(tmp_path / "run", "fake@1", "fake@0", tasks=["pos"])
        assert "\n" not in str(refused.value)
        table = sides(tmp_path / "run", "fake@1", "fake@0")
        assert [row.task for row in table.rows] == ["traits.v1"]
        assert any(note.startswith("not compared: pos:") for note in table.notes)

    def test_predictions_that_give_another_score(self, run: Any, tmp_path: Path) -> None:
        record = run("pos")[1]
        kept = read_predictions(tmp_path / "run", record.id)
        assert kept is not None and kept.gold is not None
        Predictions(kept.clusters, gold=kept.gold, predicted=(kept.gold + 1) % 3).write(
            tmp_path / "run", record.id
        )
        with pytest.raises(DataError, match=r"give accuracy 0\.0"):
            sides(tmp_path / "run", "fake@1", "fake@0")

    def test_targets_that_are_not_kept(self, run: Any, tmp_path: Path) -> None:
        record = run("pos")[0]
        (tmp_path / "run" / "targets" / f"{record.key.data_hash[:16]}.json").unlink()
        with pytest.raises(DataError, match=r"targets .* are not kept"):
            sides(tmp_path / "run", "fake@1", "fake@0")

    def test_other_targets(self, run: Any, tmp_path: Path) -> None:
        run("pos")
        run("pos", output="other")
        other = tmp_path / "other"
        rewrite(other, lambda r: with_key(r, other, data="new", data_hash="0" * 64))
        message = r"different targets: pos\.v1 of tiny \(\w{8}\) and pos\.v1 of new \(00000000\)"
        with pytest.raises(DataError, match=message):
            sides(tmp_path / "run", "fake", "fake", other)

    def test_other_targets_under_one_hash(self, run: Any, tmp_path: Path) -> None:
        record = run("pos")[1]
        kept = read_predictions(tmp_path / "run", record.id)
        assert kept is not None and kept.gold is not None and kept.predicted is not None
        Predictions(kept.clusters, gold=kept.gold[::-1], predicted=kept.predicted[::-1]).write(
            tmp_path / "run", record.id
        )
        with pytest.raises(DataError, match="not of the same targets"):
            sides(tmp_path / "run", "fake@1", "fake@0")

    def test_records_that_differ_in_more_than_the_layer(self, run: Any, tmp_path: Path) -> None:
        record = run("pos")[0]
        file = RecordFile(tmp_path / "run" / "records.jsonl")
        for change in ({"settings": {"span_pooling": "max"}}, {"fingerprint": "0" * 64}):
            file.append(with_key(record, tmp_path / "run", **change))
        message = r"differ in fingerprint \(\w{8}, 00000000\); .*span_pooling \(.*give both"
        with pytest.raises(DataError, match=message):
            sides(tmp_path / "run", "fake@1", "fake@0")

    def test_other_seeds(self, run: Any, tmp_path: Path) -> None:
        run("pos")
        file = RecordFile(tmp_path / "run" / "records.jsonl")
        file.append(with_key(file.read().records[1], tmp_path / "run", seed=1))
        with pytest.raises(DataError, match=r"seeds \[0, 1\] on one side, \[0\] on the other"):
            sides(tmp_path / "run", "fake@1", "fake@0")

    def test_names(self, run: Any, tmp_path: Path) -> None:
        run("pos")
        folder = tmp_path / "run"
        for a, b, message in (
            ("fak", "fake", "--a: no records of 'fak' in .* did you mean fake"),
            ("fake", "fake@7", "--b: no good record of fake, pos.v1, layer 7; .* 0, 1"),
            ("fake", "fake", "--b: there is no pair of different layers"),
            ("fake@x", "fake", "no records of 'fake@x'"),
        ):
            with pytest.raises(UsageError, match=message):
                sides(folder, a, b)
        with pytest.raises(UsageError, match="--task: no good records of 'poss'; did you mean pos"):
            sides(folder, "fake@1", "fake@0", tasks=["poss"])
        with pytest.raises(DataError, match="no records here"):
            read_system(tmp_path / "nowhere", "fake", "--a")


def test_several_seeds_are_one_unit(run: Any, tmp_path: Path) -> None:
    run("pos")
    file = RecordFile(tmp_path / "run" / "records.jsonl")
    for record in file.read().records:
        file.append(with_key(record, tmp_path / "run", seed=1))
    [row] = sides(tmp_path / "run", "fake", "fake@0").rows
    assert row.paired.seeds == 2 and layers(sides(tmp_path / "run", "fake", "fake@0")) == [(1, 0)]


def test_a_revision_is_no_layer(run: Any, tmp_path: Path) -> None:
    run("pos")
    rewrite(
        tmp_path / "run",
        lambda r: with_key(r, tmp_path / "run", encoder="hf:a/b@1") if r.key.layer else r,
    )
    table = sides(tmp_path / "run", "hf:a/b@1", "fake")
    assert (table.first, layers(table)) == ("hf:a/b@1", [(1, 0)])
    assert layers(sides(tmp_path / "run", "hf:a/b@1@1", "fake")) == [(1, 0)]


def test_two_runs(run: Any, tmp_path: Path) -> None:
    run("pos")
    run("pos", "traits", output="other")
    other = tmp_path / "other"
    rewrite(other, lambda r: with_key(r, other, settings=r.key.settings | {"span_pooling": "max"}))
    table = sides(tmp_path / "run", "fake", "fake", other / "records.jsonl")
    assert table.first == f"fake of {tmp_path / 'run'}"
    assert table.second == f"fake of {other}"
    [row] = table.rows
    assert (row.paired.difference, row.paired.test.p_value) == (0, 1)
    assert "the sides differ in more than the encoder: span_pooling (mean, max)" in table.notes
    assert any(note.startswith("not compared: traits: ") for note in table.notes)


class TestCommand:
    def test_a_sentence_and_a_table(self, run: Any, command: Any, tmp_path: Path) -> None:
        run("pos")
        said = command("compare", tmp_path / "run", "--a", "fake", "--b", "fake@0")
        assert (said.code, said.err) == (0, "")
        text = " ".join(said.out.split())
        assert text.startswith("fake (layer 1, chosen on dev) beats fake (layer 0) on pos.v1 by 0.")
        assert "the smallest difference this test set could show is 0." in text
        assert "adjusted p: Holm over 1 comparison; verdict" in text

    def test_formats(self, run: Any, command: Any, tmp_path: Path) -> None:
        run("pos", "traits")
        arguments = ("compare", tmp_path / "run", "--a", "fake@1", "--b", "fake@0", "-t", "pos")
        whole = json.loads(command(*arguments, "-f", "json").out)
        assert [each["task"] for each in whole["comparisons"]] == ["pos.v1"]
        assert command(*arguments, "-f", "csv").out.count("\n") == 2
        assert "| pos.v1 | accuracy | 1, 0 |" in command(*arguments, "-f", "md").out
        assert command(*arguments, "-f", "xml").code == 2

    def test_what_is_missing(self, run: Any, command: Any, tmp_path: Path) -> None:
        run("pos")
        folder = tmp_path / "run"
        assert "--b: is missing" in command("compare", folder, "--a", "fake").one_line()
        said = command("compare", folder, folder, folder, "--a", "fake", "--b", "fake@0")
        assert said.code == 2 and "give one or two" in said.one_line()
        said = command("compare", folder, "--a", "fake", "--b", "fake@0", "-t", "arc")
        assert said.code == 2 and "no good records of 'arc'" in said.one_line()

    def test_damaged_lines_are_warned_of_once(self, run: Any, command: Any, tmp_path: Path) -> None:
        run("pos")
        with (tmp_path / "run" / "records.jsonl").open("a") as file:
            file.write("{torn\n")
        said = command("compare", tmp_path / "run", "--a", "fake", "--b", "fake@0")
        assert said.code == 0 and said.err.count("warning") == 1
