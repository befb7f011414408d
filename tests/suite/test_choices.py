"""Tasks without training, from a corpus to records and tables, with encoders that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics.pairwise import cosine_similarity

from layerwise.core.errors import UsageError
from layerwise.core.types import Document
from layerwise.encoders.base import EncoderOptions, fingerprint_of
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.bilm_encoder import BiLMEncoder
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.results import table
from layerwise.results.records import Record
from layerwise.suite.choices import PROBE, ChoiceUnit, PreparedChoices
from layerwise.suite.config import RunConfig
from layerwise.suite.measure import measure
from layerwise.suite.pipeline import evaluate
from layerwise.suite.prepared import documents_of, prepare_tasks
from layerwise.tasks.choices import Choice, ChoiceData, prepare_choices
from layerwise.tasks.corpora import load_corpus
from layerwise.tasks.pronouns import PronounResolution

torch.set_num_threads(1)

Config = Callable[..., RunConfig]
SIZES = {"train": 2, "dev": 3, "test": 5}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Sentences like "n1 n2 n0 v p2 v n5": the pronoun p2 means n2. Numbers in turn."""
    folder = tmp_path / "pronouns"
    folder.mkdir()
    random = np.random.default_rng(0)
    for split, documents in SIZES.items():
        lines = []
        for document in range(documents):
            lines += [f"# newdoc id = {split}-{document}", "# global.Entity = eid"]
            for _ in range(4):
                nouns = random.permutation(6)[: int(random.integers(2, 5))].tolist()
                lines += [*_rows(nouns, int(random.choice(nouns))), ""]
        (folder / f"x-{split}.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _rows(nouns: list[int], meant: int) -> Iterator[str]:
    verb, number = len(nouns) + 1, ("Number=Sing", "Number=Plur")
    words = [(f"n{n}", "NOUN", number[n % 2], verb, f"({n})") for n in nouns]
    words.append(("v", "VERB", "_", 0, ""))
    pronoun = f"PronType=Prs|Person=3|{number[meant % 2]}"
    words.append((f"p{meant}", "PRON", pronoun, verb + 2, f"({meant})"))
    words += [("v", "VERB", "_", verb, ""), (f"n{nouns[0]}", "NOUN", number[0], verb, "")]
    for i, (form, upos, feats, head, entity) in enumerate(words, 1):
        misc = f"Entity={entity}" if entity else "_"
        fields = [i, form, form, upos, "_", feats, head, "dep" if head else "root", "_", misc]
        yield "\t".join(map(str, fields))


class Knowing:
    """Every word of a layer shares a way, and the pronoun's own context another.

    ``alike`` is the same for all words; ``right`` adds the way of its number to each noun and
    pronoun; ``wrong`` adds to a pronoun what speaks against its noun; ``noise`` is drawn by form.
    """

    name, dim, parameters, final_norm = "knowing", 9, 1, False
    layer_names = ("alike", "right", "wrong", "noise")

    def __init__(self) -> None:
        self.fingerprint = fingerprint_of({}, "knowing")
        self.seen: list[str] = []

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        for document in documents:
            self.seen.append(document.id)
            found = np.zeros((4, len(document), 9), dtype=np.float32)
            found[:3, :, 8] = 4.0
            for i, word in enumerate(document.words):
                if word[0] in "np":
                    found[1, i, int(word[1])] = 1.0
                    found[2, i, int(word[1])] = 1.0 if word[0] == "n" else -1.0
                if word[0] == "p":
                    found[1:3, i, 7] += 0.5
                found[3, i] = np.random.default_rng(list(word.encode())).normal(size=9)
            yield found


@pytest.fixture
def knowing(register: Any) -> Knowing:
    encoder = Knowing()
    register("encoder", "knowing", lambda argument, options: encoder)
    register("task", "pronoun", PronounResolution)
    return encoder


@pytest.fixture
def run(config: Config, knowing: Knowing) -> Config:
    def make(**changes: Any) -> RunConfig:
        return config(**({"encoder": ("knowing",), "task": ("pronoun", "pronoun:any")} | changes))

    return make


def by_layer(records: list[Record], task: str) -> list[Record]:
    found = [record for record in records if record.key.task == task]
    return sorted(found, key=lambda record: record.key.layer)


def chosen_data(folder: Path, argument: str = "") -> ChoiceData:
    return prepare_choices(PronounResolution(argument), load_corpus(str(folder)))


def by_hand(data: ChoiceData, encode: Callable[..., Any], layer: int, *, centred: bool) -> float:
    """The accuracy by scikit-learn's cosines; one best candidate each, as vectors are drawn."""
    hits, vectors = [], {}
    for split in data.splits.values():
        for document, array in zip(split.documents, encode(split.documents), strict=True):
            # As the store keeps them.
            vectors[document.id] = np.asarray(array[layer]).astype(np.float16).astype(np.float64)
    centre = np.concatenate(list(vectors.values())).mean(axis=0)

    def best(choice: Choice) -> bool:
        words = vectors[choice.document] - (centre if centred else 0.0)
        assert choice.context is not None
        query = words[choice.target.start] - words[slice(*choice.context)].mean(axis=0)
        nouns = np.stack([words[candidate.span.start] for candidate in choice.candidates])
        return choice.candidates[int(cosine_similarity([query], nouns).argmax())].right

    for split in data.splits.values():
        hits += [bool(each.candidates) and best(each) for each in split.choices]
    return float(np.mean(hits))


def test_what_is_known_is_found_and_what_is_alike_is_left_to_chance(run: Config) -> None:
    records = evaluate(run()).records
    assert {record.status for record in records} == {"ok"} and len(records) == 8
    for task in ("pronoun.v1", "pronoun:any.v1"):
        alike, right, wrong, _ = by_layer(records, task)
        chance = alike.baselines["random noun"]["accuracy"]
        assert alike.scores["accuracy"] == pytest.approx(chance) and 0.2 < chance < 0.9
        assert right.scores["accuracy"] == right.scores["accuracy_centred"] == 1.0
        # With one candidate only, even what speaks against it is chosen.
        data = prepare_tasks(run(task=(task.removesuffix(".v1"),)))[0].data
        assert isinstance(data, ChoiceData)
        sizes = [len(c.candidates) for split in data.splits.values() for c in split.choices]
        assert wrong.scores["accuracy"] == pytest.approx(np.mean([size == 1 for size in sizes]))
        assert alike.counts["targets_with_partial_credit"] == sum(size > 1 for size in sizes)
        assert alike.interval is not None and alike.interval.low < chance < alike.interval.high


def test_scores_counts_and_facts_of_a_record(run: Config, corpus: Path) -> None:
    records = evaluate(run()).records
    noise = by_layer(records, "pronoun.v1")[3]
    encode = Knowing().encode
    every = {name: chosen_data(corpus, name) for name in ("", "train", "dev", "test")}
    for score, centred in (("accuracy", False), ("accuracy_centred", True)):
        assert noise.scores[score] == pytest.approx(by_hand(every[""], encode, 3, centred=centred))
    for split in ("train", "dev", "test"):
        alone = by_hand(every[split], encode, 3, centred=False)
        assert noise.scores[f"accuracy_on_{split}"] == pytest.approx(alone)
    assert noise.metric == "accuracy" and noise.key.probe == PROBE and noise.key.settings == {}
    assert noise.counts["targets"] == 4 * sum(SIZES.values()) == noise.counts["clusters"]
    assert [noise.counts[f"{name}_targets"] for name in SIZES] == [4 * n for n in SIZES.values()]
    assert noise.counts["targets_without_a_right_candidate"] == 0
    assert noise.counts["candidates"] < by_layer(records, "pronoun:any.v1")[3].counts["candidates"]
    assert set(noise.baselines) == {"closest noun", "first noun", "random noun"}
    assert noise.facts["scored_on"] == ["train", "dev", "test"]
    assert noise.facts["clusters"] == "sentence"
    assert noise.facts["counts"]["test"]["constituents_from_heads"] == 20  # type: ignore[index,call-overload]
    assert noise.chosen == {} and noise.dev_scores == {}


def test_one_split_is_encoded_and_scored_alone(run: Config, knowing: Knowing, corpus: Path) -> None:
    records = evaluate(run(task=("pronoun:test",))).records
    assert set(knowing.seen) == {f"test-{i}" for i in range(SIZES["test"])}
    for record in records:
        assert list(record.facts["encoder"]["input"]) == ["test"]  # type: ignore[index,arg-type,call-overload]
    noise = by_layer(records, "pronoun:test.v1")[3]
    data = chosen_data(corpus, "test")
    assert noise.scores == {
        "accuracy": pytest.approx(by_hand(data, Knowing().encode, 3, centred=False)),
        "accuracy_centred": pytest.approx(by_hand(data, Knowing().encode, 3, centred=True)),
    }
    assert noise.counts["targets"] == 20


def test_beside_probes_it_changes_nothing_and_resumes(run: Config, tmp_path: Path) -> None:
    mixed = evaluate(run(task=("pos", "pronoun:test"), output=tmp_path / "mixed"))
    assert mixed.computed == 8 and all(r.status == "ok" for r in mixed.records), mixed.records
    for task in ("pos", "pronoun:test"):
        alone = evaluate(run(task=(task,), output=tmp_path / task)).records
        together = by_layer(mixed.records, f"{task}.v1")
        for one, other in zip(together, by_layer(alone, f"{task}.v1"), strict=True):
            assert one.id == other.id and one.scores == other.scores
    again = evaluate(run(task=("pos", "pronoun:test"), output=tmp_path / "mixed"))
    assert again.computed == 0 and len(again.records) == 8


def test_settings_of_probes_make_no_other_unit(run: Config) -> None:
    assert evaluate(run()).computed == 8
    assert evaluate(run(controls=0, span_pooling="max")).computed == 0


def test_the_table_has_baselines_and_no_empty_selectivity(run: Config) -> None:
    records = evaluate(run(task=("pos", "pronoun", "pronoun:any"))).records
    shown = table.build(records)
    columns = {(column.task, column.metric) for column in shown.columns}
    assert columns == {
        ("pos.v1", "accuracy"),
        ("pos.v1", "selectivity"),
        *(
            (t, m)
            for t in ("pronoun.v1", "pronoun:any.v1")
            for m in ("accuracy", "accuracy_centred")
        ),
    }
    baselines = {row.name: row for row in shown.rows if row.layer is None}
    place = [(c.task, c.metric) for c in shown.columns].index(("pronoun:any.v1", "accuracy"))
    expected = by_layer(records, "pronoun:any.v1")[0].baselines
    for name in ("closest noun", "first noun", "random noun"):
        assert baselines[name].cells[place].value == expected[name]["accuracy"]
    assert (
        "scored on train, dev, test together and not on test alone, since nothing is fitted: "
        "pronoun.v1, pronoun:any.v1" in shown.notes
    )
    assert any(f"{PROBE} (pronoun.v1, pronoun:any.v1)" in note for note in shown.notes)
    assert all(
        cell.status == "ok" for row in shown.rows if row.layer is not None for cell in row.cells
    )
    alone = table.build(evaluate(run(task=("pronoun:test",))).records)
    assert not [note for note in alone.notes if "scored on" in note]


def test_two_workers_give_the_same(
    run: Config, tmp_path: Path, lasting: Callable[[list[Record]], Any]
) -> None:
    one = evaluate(run())
    two = evaluate(run(workers=2, output=tmp_path / "two"))
    assert lasting(one.records) == lasting(two.records)


def test_a_layer_that_is_not_finite_fails_and_says_so(run: Config) -> None:
    settings = run(task=("pronoun:test",), layers="1")
    tasks = prepare_tasks(settings)
    (record,) = evaluate(settings).records
    assert isinstance(tasks[0], PreparedChoices)
    unit = ChoiceUnit(
        record.key, "right", 4, tasks[0].arrays, tasks[0].baselines, {}, settings.folder()
    )
    words = sum(len(document) for document in documents_of(tasks)[0])
    failed = measure(unit, {"test": np.full((words, 9), np.nan)}, {})
    assert failed.status == "failed" and "not finite" in str(failed.error)


WINDOW = 12


def small_bilm(batch_words: int) -> BiLMEncoder:
    torch.manual_seed(3)
    model = BiLM(
        BiLMSettings(
            architecture="transformer",
            stack={"dim": 8, "layers": 2, "heads": 2, "feed_forward": 12},
            characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
            window=WINDOW,
        )
    )
    for weight in model.parameters():
        weight.data.copy_(torch.randn_like(weight) * 0.3)
    return BiLMEncoder("small", model, replace(EncoderOptions(), batch_words=batch_words))


def test_long_documents_and_any_batch_lose_no_target_and_change_no_score(
    run: Config, register: Any, corpus: Path, tmp_path: Path
) -> None:
    data = chosen_data(corpus)
    longest = max(len(d) for split in data.splits.values() for d in split.documents)
    assert longest > 2 * WINDOW
    scores = []
    for batch_words in (1, 4096):
        encoder = small_bilm(batch_words)
        register("encoder", "small", lambda argument, options, made=encoder: made)
        output = tmp_path / str(batch_words)
        # Apart, or the second would read what the first has stored.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LAYERWISE_CACHE", str(tmp_path / f"cache{batch_words}"))
            records = evaluate(run(encoder=("small",), task=("pronoun",), output=output)).records
        assert all(r.counts["targets"] == 4 * sum(SIZES.values()) for r in records)
        scores.append([record.scores for record in by_layer(records, "pronoun.v1")])
    assert scores[0] == scores[1]
    for layer, found in enumerate(scores[0]):
        for score, centred in (("accuracy", False), ("accuracy_centred", True)):
            by_sklearn = by_hand(data, small_bilm(64).encode, layer, centred=centred)
            assert found[score] == pytest.approx(by_sklearn), (layer, score)


def test_the_command_says_what_would_run_and_prints_the_table(
    command: Callable[..., Any], knowing: Knowing, corpus: Path, tmp_path: Path
) -> None:
    asked = [
        "run",
        "-e",
        "knowing",
        "-t",
        "pronoun",
        "-t",
        "pos",
        "-d",
        corpus,
        "-o",
        tmp_path / "o",
    ]
    said = command(*asked, "--dry-run")
    assert said.code == 0
    assert "pronoun.v1: nothing to train; targets train 8, dev 12, test 20" in said.out
    assert "pos.v1: 3 labels; targets train" in said.out
    assert "encoded already 0 of 3 texts; units to measure 8, recorded 0" in said.out
    said = command(*asked, "--workers", "1", "--intervals")
    assert said.code == 0
    assert "closest noun" in said.out and "failed" not in said.out
    said = command("list", "tasks", "--data", corpus)
    assert "pronoun:any" in said.out
    wrong = command("run", "-e", "knowing", "-t", "pronoun:al", "-d", corpus)
    assert wrong.code == 2 and "pronoun:any" in wrong.one_line()


def test_documents_are_those_that_some_task_reads(run: Config) -> None:
    read = documents_of(prepare_tasks(run(task=("pronoun:test", "pronoun:any,dev"))))
    assert sorted(map(len, read)) == [3, 5]  # dev, test


@pytest.mark.parametrize("asked", ["codelength", "refits"])
def test_what_is_asked_of_fits_is_refused_where_nothing_is_fitted(run: Config, asked: str) -> None:
    with pytest.raises(UsageError, match=f"--{asked}: there are no labels to learn in pronoun"):
        evaluate(run(**{asked: 2}))
    assert prepare_tasks(run(task=("pronoun", "pos"), **{asked: 2}))  # there is something to fit
