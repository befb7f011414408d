"""Data sets of the ``datasets`` package: columns, rows, parquet, the hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.core.files import sha256_of
from layerwise.core.types import SPLITS, Span
from layerwise.tasks.base import Edge
from layerwise.tasks.corpora import load_corpus
from layerwise.tasks.hub_data import from_dataset

TAGS = ["O", "B-PER", "I-PER", "B-LOC"]
NER = Features(
    {
        "id": Value("string"),
        "tokens": List(Value("string")),
        "ner_tags": List(ClassLabel(names=TAGS)),
        "pos_tags": List(ClassLabel(names=["NNP", "VBZ"])),
    }
)


def names(*rows: tuple[list[str], list[int]], features: Features = NER) -> Dataset:
    return Dataset.from_dict(
        {
            "id": [str(i) for i in range(len(rows))],
            "tokens": [tokens for tokens, _ in rows],
            "ner_tags": [tags for _, tags in rows],
            "pos_tags": [[0] * len(tokens) for tokens, _ in rows],
        },
        features=features,
    )


def labelled(labels: list[Any], feature: Any = None, words: str = "It is no. {}.") -> Dataset:
    texts = [words.format(i) for i in range(len(labels))]
    return Dataset.from_dict(
        {"text": texts, "label": labels},
        features=Features(
            {"text": Value("string"), "label": feature or ClassLabel(names=["bad", "good"])}
        ),
    )


ANN = (["Ann", "Lee", "sings"], [1, 2, 0])
ROME = (["Rome", "sleeps"], [3, 0])


def test_words_and_their_tags() -> None:
    given_ = DatasetDict({"train": names(ANN, ROME), "validation": names(ROME), "test": names(ANN)})
    corpus = from_dataset(given_, "names")
    ann = corpus.splits["train"][0]
    assert ann.document.id == "train#0" and ann.document.words == ("Ann", "Lee", "sings")
    assert ann.edges == (Edge("ner", Span(0, 2), None, ("PER",)),)
    assert [word.xpos for word in ann.words] == ["NNP"] * 3
    assert [word.upos for word in ann.words] == [""] * 3
    assert corpus.splits["dev"][0].edges == (Edge("ner", Span(0, 1), None, ("LOC",)),)
    assert corpus.facts["columns"] == {
        "read": {"words": "tokens", "xpos": "pos_tags", "ner": "ner_tags"},
        "not_read": ["id"],
    }
    assert corpus.facts["counts"]["train"] == {
        "documents": 2,
        "sentences": 2,
        "words": 5,
        "spans": 2,
        "rows_without_words": 0,
    }
    assert corpus.facts["split"] == "as the data gives them"
    json.dumps(corpus.facts)


def test_plain_strings_and_universal_parts_of_speech() -> None:
    rows = {
        "words": [["Ann", "sings", "_"], ["Bo"], ["Cy"]],
        "pos": [["PROPN", "VERB", "_"], ["PROPN"], ["PROPN"]],
        "lemmas": [["Ann", "sing", "_"], ["Bo"], ["Cy"]],
        "chunk": [["B-NP", "B-VP", "O"], ["I-NP"], ["O"]],
        "head": [[2, 0, 1], [0], [0]],
        "deprel": [["nsubj", "root", "dep"], ["root"], ["root"]],
    }
    corpus = from_dataset({split: Dataset.from_dict(rows) for split in SPLITS}, "x")
    words = corpus.splits["test"][0].words
    assert [word.upos for word in words] == ["PROPN", "VERB", ""]
    assert [word.lemma for word in words] == ["Ann", "sing", ""]
    assert [edge.labels for edge in corpus.splits["test"][0].edges] == [("NP",), ("VP",)]
    assert corpus.facts["columns"]["not_read"] == ["head", "deprel"]


def test_texts_and_their_labels() -> None:
    text = 'Mr. Lee left. "No!" he said{}.'
    given_ = {split: labelled([0, 1], words=text) for split in SPLITS}
    corpus = from_dataset(given_, "reviews")
    first, second = corpus.splits["dev"]
    assert [each.attributes for each in (first, second)] == [{"label": "bad"}, {"label": "good"}]
    assert [sentence.text for sentence in first.document.sentences] == [
        "Mr. Lee left.",
        '"No!" he said0.',
    ]
    assert corpus.facts["columns"]["read"] == {"text": "text", "label": "label"}
    numbers = from_dataset({split: labelled([3, 4], Value("int64")) for split in SPLITS}, "x")
    assert numbers.splits["test"][1].attributes == {"label": "4"}


def test_hidden_labels_are_left_out_whole_or_refused() -> None:
    given_ = {"train": labelled([0, 1] * 20), "dev": labelled([1]), "test": labelled([-1, -1])}
    corpus = from_dataset(given_, "x")
    assert corpus.facts["splits_without_labels"] == ["test"]
    assert "the data has no test: its dev is test" in corpus.facts["split"]
    assert [len(corpus.splits[split]) for split in SPLITS] == [36, 4, 1]
    with pytest.raises(DataError, match="1 rows of dev have hidden labels"):
        from_dataset({**given_, "dev": labelled([1, -1])}, "x")
    with pytest.raises(DataError, match="0 documents cannot be split"):
        from_dataset({"train": labelled([-1, -1])}, "x")


def test_rows_without_words_are_counted() -> None:
    given_ = {split: names(ANN, ([], [])) for split in SPLITS}
    assert from_dataset(given_, "x").facts["counts"]["train"]["rows_without_words"] == 1
    blank = {split: labelled([0, 1], words=" \n") for split in ("train", "dev")}
    corpus_facts = {"train": labelled([0, 1] * 9), "dev": blank["dev"], "test": labelled([1])}
    assert from_dataset(corpus_facts, "x").facts["counts"]["dev"]["rows_without_words"] == 2


def test_names_of_splits() -> None:
    given_ = {"train": names(*[ANN] * 20), "validation": names(ROME), "unsupervised": names(ROME)}
    assert from_dataset(given_, "x").facts["splits_not_read"] == ["unsupervised"]
    with pytest.raises(DataError, match="two splits for dev: train, validation_a, validation_b"):
        from_dataset(
            {"train": names(ANN), "validation_a": names(ANN), "validation_b": names(ANN)}, "x"
        )
    with pytest.raises(DataError, match="no split among a, b"):
        from_dataset({"a": names(ANN), "b": names(ANN)}, "x")
    alone = from_dataset({"all": names(*[ANN] * 10)}, "x")
    assert [len(alone.splits[split]) for split in SPLITS] == [8, 1, 1]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"a": [1]}, "neither words nor text among the columns a"),
        ({"tokens": [["a"]]}, "no labels among the columns tokens"),
        ({"tokens": [["a"]], "ner_tags": [[1]]}, "no labels"),  # of no class
        ({"tokens": [["a"]], "ner_tags": [["PER"]]}, "no labels"),
        (
            {"tokens": [["a"]], "ner_tags": [["O", "O"]]},
            r"train row 0: 2 values of ner for 1 words",
        ),
        ({"tokens": [["a", " "]], "ner_tags": [["O", "O"]]}, "train row 0: an empty word"),
        ({"text": ["a"], "label": [0.5]}, "no labels"),
    ],
)
def test_columns_and_rows_that_do_not_fit(rows: dict[str, Any], expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        from_dataset({split: Dataset.from_dict(rows) for split in SPLITS}, "x")


def test_splits_with_other_columns() -> None:
    other = Features({**NER, "ner_tags": List(ClassLabel(names=["O", "B-LOC", "B-PER", "I-PER"]))})
    with pytest.raises(DataError, match="the columns of dev are others"):
        from_dataset({"train": names(ANN), "dev": names(ANN, features=other)}, "x")


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(
    st.lists(
        st.lists(
            st.tuples(st.text("abcé'", min_size=1, max_size=4), st.integers(0, 3)), max_size=5
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_is_written_as_parquet_is_read(tmp_path: Path, rows: list[Any]) -> None:
    """Against the tags' own text, by brute force."""
    pairs = [([word for word, _ in row], [tag for _, tag in row]) for row in [*rows, [("x", 1)]]]
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    for name in ("train", "validation", "test"):
        write(names(*pairs), folder / f"{name}-00000-of-00001.parquet")
    corpus = load_corpus(f"hf-data:{folder}")
    assert corpus.name == "hf-data:data"
    read = corpus.splits["test"]
    assert [list(each.words) and list(each.document.words) for each in read] == [
        words for words, _ in pairs if words
    ]
    for document, (_, tags) in zip(read, [pair for pair in pairs if pair[0]], strict=True):
        inside = {place for edge in document.edges for place in range(*edge.span1)}
        assert inside == {place for place, tag in enumerate(tags) if tag}


def write(dataset: Dataset, path: Path) -> None:
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(dataset.data.table, path)


def test_a_folder_of_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write(names(ANN), folder / "train/0000.parquet")
    write(names(ROME), folder / "train/0001.parquet")
    write(names(ROME), folder / "validation/0000.parquet")
    write(names(ANN), folder / "test/0000.parquet")
    (folder / "LICENSE").write_text("free")
    corpus = load_corpus(f"hf-data:{folder}")
    assert [document.document.words[0] for document in corpus.splits["train"]] == ["Ann", "Rome"]
    assert corpus.facts["files"]["train/0001.parquet"] == {
        "sha256": sha256_of(folder / "train/0001.parquet")
    }
    assert corpus.facts["licence_files"] == ["LICENSE"]
    write(names(*[ANN] * 10), tmp_path / "one.parquet")
    assert len(load_corpus(f"hf-data:{tmp_path / 'one.parquet'}").splits["train"]) == 8


def test_folders_that_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "script"
    empty.mkdir()
    (empty / "script.py").write_text("raise SystemExit")
    with pytest.raises(DataError, match="no parquet file here, and scripts are never run; take"):
        load_corpus(f"hf-data:{empty}")
    with pytest.raises(DataError, match="no such file or folder"):
        load_corpus("hf-data:./nowhere")
    for part in ("en", "fi"):
        write(names(ANN), tmp_path / f"several/{part}/train-0.parquet")
    with pytest.raises(DataError, match="several data sets are here: en, fi; name one"):
        load_corpus(f"hf-data:{tmp_path / 'several'}")
    write(names(ANN), tmp_path / "untold/x.parquet")
    with pytest.raises(DataError, match=r"x\.parquet tells no split"):
        load_corpus(f"hf-data:{tmp_path / 'untold'}")
    broken = tmp_path / "broken/train.parquet"
    broken.parent.mkdir()
    broken.write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match=r"broken/train\.parquet: cannot be read as parquet"):
        load_corpus(f"hf-data:{broken.parent}")
    write(names(ANN), tmp_path / "mixed/train-0.parquet")
    write(labelled([1]), tmp_path / "mixed/train-1.parquet")
    with pytest.raises(DataError, match=r"train-1\.parquet: its columns are not those"):
        load_corpus(f"hf-data:{tmp_path / 'mixed'}")


COMMIT = "0123456789" * 4


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """A hub with one data set; what it was asked."""
    folder = tmp_path / "snapshots" / COMMIT
    for split in ("train", "validation", "test"):
        write(names(ANN, ROME), folder / f"en/{split}/0.parquet")
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\ntags: []\n---\n# Names\n")
    asked: list[dict[str, Any]] = []

    def download(name: str, **options: Any) -> str:
        asked.append({"name": name, **options})
        if options["local_files_only"]:
            raise FileNotFoundError("not\nhere")
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.delenv("LAYERWISE_ALLOW_DOWNLOAD", raising=False)
    return asked


def test_the_hub_is_asked_only_where_allowed(
    hub: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "hf-data:who/names@refs/convert/parquet"
    with pytest.raises(DataError, match=r"not in the local cache .* --allow-download"):
        load_corpus(name)
    assert hub[0]["local_files_only"]
    monkeypatch.setenv("LAYERWISE_ALLOW_DOWNLOAD", "1")
    corpus = load_corpus(f"{name}:en")
    assert corpus.name == f"{name}:en"
    assert corpus.facts["revision"] == COMMIT and corpus.facts["licence"] == "cc-by-4.0"
    assert corpus.facts["source"] == "huggingface.co/datasets/who/names"
    assert hub[1] == {
        "name": "who/names",
        "repo_type": "dataset",
        "revision": "refs/convert/parquet",
        "local_files_only": False,
        "allow_patterns": ["en/*.parquet", "README.md"],
    }


def test_a_revision_is_needed(hub: list[dict[str, Any]]) -> None:
    for name in ("who/names", "names", "who/names@", "a/b/c@1", "who/names@main:a/b"):
        with pytest.raises(UsageError, match="neither a path nor a data set with its revision"):
            load_corpus(f"hf-data:{name}")
    assert not hub


def test_a_download_that_fails(hub: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, **options: Any) -> str:
        raise OSError("no\nnetwork")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    monkeypatch.setenv("LAYERWISE_ALLOW_DOWNLOAD", "1")
    with pytest.raises(DataError, match=r"cannot be downloaded \(no network\)"):
        load_corpus("hf-data:who/names@1234")
