"""One-hot words: numbered by hand, laid out as dense ones are, and from text to records."""

from __future__ import annotations

import gzip
import os
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence, Split
from layerwise.probes.linear import LinearProbe
from layerwise.probes.sparse_design import SparseDesign
from layerwise.suite import word_identity
from layerwise.suite.arrays import SplitArrays
from layerwise.suite.config import RunConfig
from layerwise.suite.fitting import fit_problems, lay_out, rows_of
from layerwise.suite.pipeline import evaluate
from layerwise.suite.word_identity import WordIdentity, word_identities

Config = Callable[..., RunConfig]

POOLINGS = ("mean", "first", "last", "endpoints", "max")
SIZES = {"train": 200, "dev": 60, "test": 60}
DATA = Path(os.environ.get("LAYERWISE_DATA", Path(__file__).parents[3] / "shared" / "data"))


class OneByOne:
    """Another's probe: it knows nothing of designs."""

    name, version = "one by one", "v1"


def split(*documents: str) -> Split:
    made = (Document(d, (Sentence.from_words(d.split()),)) for d in documents)
    return Split(tuple(made), ())


def drawn(kind: str) -> tuple[dict[str, WordIdentity], dict[str, SplitArrays]]:
    """Words of 12 forms, of which train has 9, and targets labelled by their first word, mostly."""
    random = np.random.default_rng(0)
    words, splits = {}, {}
    for name, count in SIZES.items():
        numbers = random.integers(0, 9, size=count)
        if name != "train":
            numbers[random.random(count) < 0.2] = -1
        words[name] = WordIdentity(numbers, 9, 0.0)
        start = random.integers(0, count - 3, size=2 * count)
        length = (
            np.ones(2 * count, dtype=int) if kind == "words" else random.integers(1, 4, 2 * count)
        )
        spans = np.stack([start, start + length], axis=1)
        second = spans[random.permutation(2 * count)] if kind == "pairs" else None
        labels = numbers[start] % 3
        labels = np.where(random.random(2 * count) < 0.3, random.integers(0, 3, 2 * count), labels)
        splits[name] = SplitArrays(spans, second, labels, np.arange(2 * count) // 4)
    return words, splits


def layers(words: dict[str, WordIdentity]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Sparse, and written out by hand."""
    dense = {}
    for name, each in words.items():
        dense[name] = np.zeros((len(each.numbers), each.types), dtype=np.float32)
        for row, number in enumerate(each.numbers):
            if number >= 0:
                dense[name][row, number] = 1
    return {name: each.layer(0) for name, each in words.items()}, dense


def test_words_are_numbered_as_train_has_them_case_kept() -> None:
    found = word_identities(
        {"train": split("a dog a Dog", "cat"), "dev": split("Dog cow a"), "test": split("b")}
    )
    assert found["train"].numbers.tolist() == [0, 1, 0, 2, 3]
    assert found["dev"].numbers.tolist() == [2, -1, 0]
    assert found["test"].numbers.tolist() == [-1]
    assert found["dev"].manifest == {
        "shape": [1, 3, 4],
        "dtype": "sparse",
        "input": {"words": 3, "words_unknown_to_train": 1},
    }
    np.testing.assert_array_equal(
        found["dev"].layer(0).toarray(), [[0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    )
    with pytest.raises(IndexError, match="layer 0 alone"):
        found["dev"].layer(1)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("kind", ["words", "spans", "pairs"])
def test_a_fit_is_that_on_words_written_out(kind: str, pooling: str) -> None:
    words, splits = drawn(kind)
    sparse, dense = layers(words)
    probe = LinearProbe(l2=(100.0, 10.0), tolerance=1e-9)
    found = []
    for vectors in (sparse, dense):
        laid = lay_out(probe, vectors, splits, pooling, "cpu")
        labels, dev = splits["train"].labels[None], splits["dev"].labels[None]
        fits = fit_problems(probe, laid["train"], labels, laid["dev"], dev, 3)
        found.append(fits[0].predict_proba(laid["test"]))
    assert isinstance(lay_out(probe, sparse, splits, pooling, "cpu")["train"], SparseDesign)
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    plain = lay_out(OneByOne(), sparse, splits, pooling, "cpu")  # type: ignore[arg-type]
    for name, rows in plain.items():
        np.testing.assert_allclose(rows, rows_of(dense[name], splits[name], pooling), atol=1e-6)


def test_designs_leave_out_forms_that_no_training_target_has() -> None:
    words, splits = drawn("words")
    train = splits["train"]
    few = splits | {
        "train": SplitArrays(train.spans1[:4], None, train.labels[:4], train.clusters[:4])
    }
    laid = lay_out(LinearProbe(), layers(words)[0], few, "mean", "cpu")
    used = {int(words["train"].numbers[start]) for start, _ in few["train"].spans1}
    assert {design.dim for design in laid.values()} == {len(used)}  # type: ignore[union-attr]


def test_text_of_one_form_alone_is_no_fault() -> None:
    words, splits = drawn("words")
    words["train"] = WordIdentity(np.zeros(200, dtype=np.int64), 9, 0.0)
    probe = LinearProbe(l2=(100.0, 10.0))
    laid = lay_out(probe, layers(words)[0], splits, "mean", "cpu")
    labels, dev = splits["train"].labels[None], splits["dev"].labels[None]
    (fit,) = fit_problems(probe, laid["train"], labels, laid["dev"], dev, 3)
    shares = np.bincount(splits["train"].labels) / 400
    np.testing.assert_allclose(fit.predict_proba(laid["test"]), [shares] * 120, atol=1e-6)


def test_the_natural_split_has_the_words_of_test() -> None:
    words, splits = drawn("pairs")
    splits["natural"] = splits["test"]
    laid = lay_out(LinearProbe(), layers(words)[0], splits, "mean", "cpu")
    both = [laid[name].features(slice(0, 9)) for name in ("natural", "test")]  # type: ignore[union-attr]
    assert bool((both[0] == both[1]).all())


def test_attention_is_refused() -> None:
    words, splits = drawn("spans")
    with pytest.raises(UsageError, match=r"--span-pooling: .*onehot:2048"):
        lay_out(LinearProbe(), layers(words)[0], splits, "attentive", "cpu")


def test_rows_too_wide_to_be_written_out_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    words, splits = drawn("words")
    monkeypatch.setattr(word_identity, "IN_MEMORY", 4 * 400 * 9 - 1)
    with pytest.raises(UsageError, match="the probe one by one takes plain arrays"):
        lay_out(OneByOne(), layers(words)[0], splits, "mean", "cpu")  # type: ignore[arg-type]


class TestRun:
    def test_the_record_tells_of_forms_and_nothing_is_encoded(
        self, config: Config, corpus: Path, tmp_path: Path
    ) -> None:
        train = (corpus / "tiny-train.conllu").read_text()
        (corpus / "tiny-test.conllu").write_text(train.replace("train-", "test-"))
        (record,) = evaluate(config(encoder=("onehot",))).records
        assert record.error is None and record.scores["accuracy"] == 1.0
        forms = {line.split("\t")[1] for line in train.splitlines() if line[:1].isdigit()}
        assert record.counts["features"] == record.facts["encoder"]["dim"] == len(forms)
        assert record.facts["encoder"]["stored_as"] == ["sparse"]
        told = record.facts["encoder"]["input"]
        assert told["train"]["words_unknown_to_train"] == 0
        assert told["dev"]["words_unknown_to_train"] == told["dev"]["words"]
        assert record.timing["encoded_words"] == sum(each["words"] for each in told.values())
        assert not (tmp_path / "cache" / "activations").exists()

    def test_forms_that_train_lacks_get_what_is_most_common(
        self, config: Config, corpus: Path
    ) -> None:
        (record,) = evaluate(config(encoder=("onehot",))).records
        assert record.scores["accuracy"] == record.baselines["majority"]["accuracy"]

    def test_with_a_width_it_is_hashed_and_stored(self, config: Config, tmp_path: Path) -> None:
        (record,) = evaluate(config(encoder=("onehot:64",))).records
        assert record.counts["features"] == record.facts["encoder"]["dim"] == 64
        assert (tmp_path / "cache" / "activations").exists()

    def test_workers_change_nothing(self, config: Config, tmp_path: Path, lasting: Any) -> None:
        asked = {"encoder": ("onehot",), "task": ("pos", "morph:Number"), "controls": 0}
        plain = evaluate(config(**asked)).records
        assert [record.status for record in plain] == ["ok", "ok"]
        other = config(**asked, workers=2, engine="threads", output=tmp_path / "other run")
        assert lasting(evaluate(other).records) == lasting(plain)

    def test_prefixes_of_the_training_text_have_a_code(self, config: Config) -> None:
        (record,) = evaluate(config(encoder=("onehot",), codelength=1, controls=0)).records
        assert record.status == "ok" and record.scores["codelength_bits"] > 0


@pytest.mark.skipif(not (DATA / "gum_open").is_dir(), reason="no real data; set LAYERWISE_DATA")
def test_on_a_treebank_it_is_the_usual_part_of_speech_of_each_form(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oracle is a count of files: each form's most frequent tag, NOUN for the unknown."""
    monkeypatch.setenv("LAYERWISE_DATA", str(DATA))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for form, tag in _words("train"):
        counts[form][tag] += 1
    usual = {form: tags.most_common(1)[0][0] for form, tags in counts.items()}
    test = _words("test")
    right = np.mean([usual.get(form, "NOUN") == tag for form, tag in test])
    run = config(encoder=("onehot",), data="gum_open", controls=0)
    (record,) = evaluate(run).records
    assert record.error is None and record.chosen["converged"]
    assert record.counts["features"] == len(counts)
    # Of tags that are nearly as frequent the probe may take the other.
    assert record.scores["accuracy"] == pytest.approx(right, abs=0.01)
    assert record.scores["accuracy"] > 0.78


def _words(split: str) -> list[tuple[str, str]]:
    with gzip.open(DATA / "gum_open" / f"gum_open-{split}.conllu.gz", "rt") as lines:
        rows = [line.split("\t") for line in lines]
    return [(row[1], row[3]) for row in rows if row[0].isdigit()]
