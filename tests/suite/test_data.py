"""``probe data`` and ``probe list data``: what they print, write and refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from layerwise.core.errors import LayerwiseError
from layerwise.core.types import SPLITS
from layerwise.suite.cli.data import command
from layerwise.suite.cli.list_ import command as list_command
from layerwise.tasks.corpora import load_corpus
from layerwise.tasks.formats import FORMATS
from layerwise.tasks.morphology import PartOfSpeech
from layerwise.tasks.upstream import SOURCES

IOB = "# newdoc id = d{0}\n1\tw{0}\tB-PER\n2\tgoes\tO\n\n"


def probe(*arguments: str) -> tuple[int, str]:
    """The exit code, and what was printed, or the error's one line."""
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if isinstance(result.exception, LayerwiseError):
        return result.exception.exit_code, str(result.exception)
    if result.exception is not None:
        raise result.exception
    return result.return_value or 0, result.output


@pytest.fixture
def names(tmp_path: Path) -> Path:
    folder = tmp_path / "names"
    folder.mkdir()
    for i, split in enumerate(SPLITS):
        text = "".join(IOB.format(10 * i + j) for j in range(3))
        (folder / f"{split}.iob2").write_text(text)
    return folder


def test_list_tells_corpora_and_formats(monkeypatch: pytest.MonkeyPatch, corpus: Path) -> None:
    monkeypatch.setenv("LAYERWISE_DATA", str(corpus.parent))
    corpus.rename(corpus.parent / "ewt")
    code, text = probe("list", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(text)}
    assert rows["ewt"]["here"] == "yes" and rows["ewt"]["licence"] == "CC BY-SA 4.0"
    assert rows["gap"]["here"] == "no" and "probe data fetch gap" in rows["gap"]["where"]
    assert rows["gap"]["format"] == "gap"
    assert {f"{name}:PATH" for name in FORMATS} <= set(rows)
    assert rows["iob:PATH"]["where"].startswith("told by .iob")
    same = CliRunner().invoke(list_command, ["data", "--json"]).output
    assert same == text


def test_check_reads_any_format(names: Path, corpus: Path) -> None:
    code, text = probe("check", str(names / "dev.iob2"), str(corpus / "tiny-dev.conllu"))
    assert code == 0
    first, second = text.splitlines()
    assert (
        first.startswith(f"{names / 'dev.iob2'}: sound (iob); 3 documents") and "3 spans" in first
    )
    assert second.startswith(f"{corpus / 'tiny-dev.conllu'}: sound, 0 warnings; 4 documents")


def test_check_tells_faults_and_goes_on(names: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.iob2"
    bad.write_text("# newdoc id = d\n1\ta\tB-PER\n3\tb\tO\n")
    code, text = probe("check", str(bad), str(names / "dev.iob2"))
    assert code == 3
    first, second = text.splitlines()
    assert first.startswith(f"{bad}:3: error: the index '3' where 2 is due; ")
    assert "sound (iob)" in second
    other = tmp_path / "other.conllu"
    other.write_text("1\ta\n")
    code, text = probe("check", f"conllu:{other}", "--limit", "1")
    assert code == 3 and f"{other}:1: error: 2 columns instead of 10" in text


def test_check_of_what_is_not_there_or_not_known(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("Once upon a time.\n")
    code, text = probe("check", str(tmp_path / "x.txt"))
    assert code == 2 and "write FORMAT:x.txt with one of blimp" in text
    code, text = probe("check", "nothing.iob2")
    assert code == 3 and "no such file or folder" in text
    code, text = probe("check", "ibo:x")
    assert code == 2 and "did you mean iob?" in text


def test_stats_tell_counts_and_tasks(names: Path) -> None:
    code, text = probe("stats", str(names))
    told = json.loads(text)
    assert code == 0
    assert told["corpus"] == "names" and told["format"] == "iob"
    assert told["files"]["test"]["spans"] == 3
    assert isinstance(told["tasks"], list)


def test_stats_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, expected in (("gapp", 2), ("gap", 3), ("iob:./x", 3), ("hf-data:x", 2), ("ud:x", 2)):
        code, text = probe("stats", name)
        assert code == expected and "\n" not in text


def test_targets_are_written_and_read_back(corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    arguments = ("export", str(corpus), "--task", "pos", "--as", "edges", "-o", str(output))
    code, text = probe(*arguments)
    assert code == 0 and len(text.splitlines()) == 3
    given = load_corpus(str(corpus))
    read = load_corpus(str(output / "pos"))
    assert read.facts["format"] == "edges" and read.name == "pos"
    task = PartOfSpeech()
    for split in SPLITS:
        for before, after in zip(given.splits[split], read.splits[split], strict=True):
            assert after.document.id == before.document.id
            assert after.document.words == before.document.words
            targets = [(t.span1, t.span2, (t.label,)) for t in task.targets(before)]
            assert [(e.span1, e.span2, e.labels) for e in after.edges] == targets
            assert {edge.task for edge in after.edges} == {"pos"}
    code, text = probe(*arguments)
    assert code == 2 and "is there already; --force writes over it" in text
    assert probe(*arguments, "--force")[0] == 0


def test_a_group_of_tasks_has_a_folder_each(corpus: Path, tmp_path: Path) -> None:
    output = str(tmp_path / "out")
    assert probe("export", str(corpus), "--task", "morph", "--as", "edges", "-o", output)[0] == 0
    folders = {path.name for path in (tmp_path / "out").iterdir()}
    assert "morph-Number" in folders


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("ewt",), 2, "'ewt' is a corpus of files already; export builtin, or a task's targets"),
        (("ewt", "--task", "pos"), 2, "write --task TASK --as edges"),
        (("ewt", "--as", "edges"), 2, "write --task TASK --as edges"),
        (("CORPUS", "--task", "pronoun", "--as", "edges"), 2, "candidates and no labels"),
        (("CORPUS", "--task", "deprell", "--as", "edges"), 2, "did you mean deprel"),
        (("CORPUS", "--task", "coref", "--as", "edges"), 3, "has nothing to label"),
    ],
)
def test_exports_that_are_refused(
    corpus: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, expected: str
) -> None:
    given = [str(corpus) if each == "CORPUS" else each for each in arguments]
    told = probe("export", *given, "-o", str(tmp_path / "out"))
    assert told[0] == code and expected in told[1]
    assert not (tmp_path / "out").exists()


def test_fetch_needs_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr("layerwise.tasks.fetch.fetch", never)
    code, text = probe("fetch", "gap")
    assert code == 2 and SOURCES["gap"].repository in text and "Apache-2.0" in text
    code, text = probe("fetch", "gum_open", "--allow-download")
    assert code == 2 and "no source of 'gum_open' is known" in text


def test_fetch_tells_what_it_got(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from layerwise.tasks.fetch import Fetched

    asked: list[tuple[str, bool]] = []

    def fetch(name: str, *, again: bool) -> Fetched:
        asked.append((name, again))
        return Fetched(tmp_path, {"b.tsv": False, "a.tsv": True}, was_there=False)

    monkeypatch.setattr("layerwise.tasks.fetch.fetch", fetch)
    code, text = probe("fetch", "gap", "--allow-download", "--again")
    assert code == 0 and asked == [("gap", True)]
    assert text.splitlines() == [
        "a.tsv: sha256 as known before",
        "b.tsv: sha256 kept from the first download",
        f"gap is in {tmp_path}",
    ]


def test_the_cache_serves_what_was_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_corpus: Callable[..., Path]
) -> None:
    from layerwise.core.files import sha256_of, write_json
    from layerwise.tasks.fetch import folder_of

    folder = make_corpus(folder_of("ewt"))
    sums = {path.name: sha256_of(path) for path in folder.iterdir()}
    write_json(folder / "manifest.json", sums)
    told = json.loads(probe("stats", "ewt")[1])
    assert told["corpus"] == "ewt" and set(told["fetched"]["sha256_known_before"]) == set(sums)
    rows = {row["name"]: row for row in json.loads(probe("list", "--json")[1])}
    assert rows["ewt"]["here"] == "yes" and rows["ewt"]["where"] == str(folder)
