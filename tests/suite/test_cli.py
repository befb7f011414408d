"""The command line: help, names, exit codes, formats, and silence where nobody looks."""

from __future__ import annotations

import csv
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from layerwise.results.records import Key, Record, RecordFile
from layerwise.suite.cli import Commands, probe

COMMANDS = [
    *("", "run", "show", "fit", "pretrain", "list", "data", "check", "time"),
    *("mix", "similarity", "contextuality", "loss-curve", "table", "compare", "plot", "report"),
    *("search", "nas-probe", "prune", "cost"),
]
SUBCOMMANDS = [
    *("list encoders", "list tasks", "list probes", "list data", "check encoder"),
    *("list spaces", "list cells", "list strategies", "list estimators"),
    *("data audit", "data check", "data export", "data fetch", "data list", "data stats"),
    *("cost fit", "cost predict"),
]
# What a terminal obeys or hides: C0 but the line break, C1, bidirectional marks.
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Command = Callable[..., Any]


@pytest.fixture
def run_tiny(command: Command, corpus: Path, tmp_path: Path, fake: Any) -> Command:
    """Runs the fake encoder on the tiny corpus in this process."""
    fake()

    def run(*arguments: object) -> Any:
        given = ("-e", "fake", "-t", "pos", "-d", corpus, "-o", tmp_path / "run", "--workers", 1)
        return command("run", *given, "--no-control-encoders", *arguments)

    return run


class TestHelp:
    @pytest.mark.parametrize("name", COMMANDS + SUBCOMMANDS)
    @pytest.mark.parametrize("flag", ["--help", "-h"])
    def test_every_command_has_it(self, name: str, flag: str, command: Command) -> None:
        said = command(*name.split(), flag)
        assert said.code == 0 and said.err == ""
        assert said.out.startswith(f"Usage: probe {name}".rstrip())
        assert "Options:" in said.out

    def test_these_are_all_the_commands(self) -> None:
        def below(group: click.Command, path: str) -> list[str]:
            if not isinstance(group, click.Group):
                return [path]
            with click.Context(group) as context:
                found = {
                    name: group.get_command(context, name) for name in group.list_commands(context)
                }
            return [
                path,
                *(p for n, c in found.items() if c for p in below(c, f"{path} {n}".strip())),
            ]

        assert sorted(below(probe, "")) == sorted(COMMANDS + SUBCOMMANDS)
        assert isinstance(probe, Commands)

    @pytest.mark.parametrize("name", ["", "list", "data", "check"])
    def test_a_group_alone_shows_its_help(self, name: str, command: Command) -> None:
        said = command(*name.split())
        assert said.code == 2 and said.out.startswith("Usage: probe") and said.err == ""

    def test_the_version(self, command: Command) -> None:
        from layerwise import __version__

        assert command("--version").out == f"layerwise, version {__version__}\n"

    def test_it_loads_nothing_heavy(self) -> None:
        code = (
            "import sys\n"
            "from layerwise.suite.cli import main\n"
            "sys.argv = ['probe', *sys.argv[1:]]\n"
            "try:\n    main()\n"
            "finally:\n    print(*sorted(sys.modules))"
        )
        for words in ("--help", "run --help", "list tasks --help", "search --help"):
            arguments = words.split()
            done = subprocess.run(
                [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
            )
            loaded = set(done.stdout.splitlines()[-1].split())
            heavy = {"torch", "transformers", "pandas", "numpy", "scipy", "sklearn", "datasets"}
            assert "layerwise.suite.cli" in loaded and not loaded & heavy

    def test_it_is_quick(self) -> None:
        def best(*arguments: str) -> float:
            times = []
            for _ in range(5):
                started = time.perf_counter()
                subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
                times.append(time.perf_counter() - started)
            return min(times)

        assert best("-m", "layerwise", "--help") < best("-c", "pass") + 0.3


class TestMistakes:
    @pytest.mark.parametrize(
        "arguments, code, told",
        [
            ("rnu", 2, "did you mean run?"),
            ("list encodrs", 2, "encoders"),
            ("data chek f", 2, "check"),
            ("run --encodr x", 2, "--encoder"),
            ("run -e onehot -t pos --batch-words x", 2, "--batch-words"),
            ("run -e onehot -t pos --format exel", 2, "csv"),
            (
                "run -e transfomer -t pos",
                2,
                "--encoder: no such encoder: 'transfomer'; did you mean tr",
            ),
            ("run -e onehot+randm -t pos", 2, "--encoder: no such encoder"),
            ("run -e onehot -t poss", 2, "--task: no such task: 'poss'; did you mean pos or xpos?"),
            ("run -e onehot -t morph:!", 2, "write morph:Number"),
            ("run -e onehot -t pos:x -d tiny", 2, "write pos"),
            (
                "run -e onehot -t pos -d bultin",
                2,
                "--data: no such corpus: 'bultin'; did you mean b",
            ),
            ("run -e onehot -t pos -d ./nowhere", 3, "--data ./nowhere: no such file or folder"),
            (
                "run -e onehot -t pos --probe liner",
                2,
                "--probe: no such probe: 'liner'; did you mea",
            ),
            ("run -e onehot -t pos -d tiny --span-pooling men", 2, "--span-pooling: "),
            ("run -e onehot -t pos -d tiny --engine slurm", 2, "--engine: "),
            ("run -e onehot", 2, "--task: is missing; `probe list tasks` tells the names"),
            ("run -t pos", 2, "--encoder: is missing; `probe list encoders` tells the names"),
            ("run --config nowhere.toml", 3, "nowhere.toml: no such file"),
            (
                "run -e onehot -t coref -d tiny",
                3,
                "the train split has nothing to label",
            ),
            ("show nowhere", 3, "nowhere: no records here; `probe run` makes them"),
            ("show", 2, "RUN"),
            ("check encoder onehto", 2, "did you mean onehot?"),
            ("check encoder hf:./nowhere", 3, "nowhere"),
            ("data check nowhere.conllu", 3, "nowhere.conllu"),
            ("data export gum", 2, "export builtin"),
            ("data stats bultin", 2, "builtin"),
            ("list tasks --data bultin", 2, "builtin"),
        ],
    )
    def test_one_line_tells_what_where_and_the_cure(
        self, arguments: str, code: int, told: str, command: Command, corpus: Path, monkeypatch: Any
    ) -> None:
        monkeypatch.chdir(corpus.parent)
        said = command(*arguments.split())
        assert said.code == code and said.out == ""
        line = said.one_line()
        assert line.startswith("error: ") and told in line
        assert not (corpus.parent / "runs").exists()

    @pytest.mark.parametrize("how", ["flag", "variable"])
    def test_debug_shows_the_traceback_too(
        self, how: str, command: Command, monkeypatch: Any
    ) -> None:
        if how == "variable":
            monkeypatch.setenv("PROBE_DEBUG", "1")
        said = command(*(["--debug"] if how == "flag" else []), "show", "nowhere")
        assert said.code == 3
        assert "Traceback (most recent call last)" in said.err and "show.py" in said.err
        assert said.err.splitlines()[-1].startswith("error: nowhere: no records here")

    def test_debug_shows_where_an_encoder_fails(
        self, fake: Any, run_tiny: Command, command: Command
    ) -> None:
        fake(fail_at=2)
        assert "Traceback" not in run_tiny().err
        arguments = [*sys.argv[1:]]
        said = command("--debug", *arguments)
        assert "RuntimeError: the fake" in said.err and "in encode" in said.err
        assert said.err.splitlines()[-1].startswith("error: encoder fake: fails")

    def test_a_fault_of_ours_is_one_line_too(self, command: Command, monkeypatch: Any) -> None:
        def broken(self: object) -> None:
            raise KeyError("a\x1b[31m fault")

        monkeypatch.setattr(RecordFile, "read", broken)
        said = command("show", __file__)
        assert said.code == 1
        assert said.one_line() == (
            "error: KeyError: 'a\\x1b[31m fault'; `probe --debug` shows where\n"
        )

    def test_an_interrupt_is_told_and_is_130(
        self, command: Command, run_tiny: Command, register: Any
    ) -> None:
        from layerwise.probes.linear import LinearProbe

        class Interrupted(LinearProbe):
            def fit_stack(self, *arguments: Any, **options: Any) -> Any:
                raise KeyboardInterrupt

        register("probe", "interrupted", Interrupted)
        said = run_tiny("--probe", "interrupted")
        assert said.code == 130 and said.out == ""
        assert said.err.strip() == (
            "error: interrupted; what is finished is kept, and the same command goes on from there"
        )


class TestRun:
    def test_the_table_and_what_was_done(self, run_tiny: Command, tmp_path: Path) -> None:
        said = run_tiny("-f", "csv")
        assert said.code == 0
        rows = list(csv.DictReader(said.out.splitlines()))
        assert [(row["encoder"], row["layer"]) for row in rows] == [
            ("fake", "0"),
            ("fake", "1"),
            ("majority", ""),
            ("per-type majority", ""),
        ]
        assert rows[1]["pos.v1 accuracy"] == "1.000"
        assert rows[1]["best"].split("; ")[0] == "pos.v1"
        assert said.err == f"2 measured now, 0 recorded before; records: {tmp_path / 'run'}\n"
        again = run_tiny("-f", "csv")
        assert again.out == said.out and again.err.startswith("0 measured now, 2 recorded before")

    def test_controls_and_none_of_them_is_a_contradiction(self, run_tiny: Command) -> None:
        said = run_tiny("--controls", 3, "--no-controls")
        assert said.code == 2 and "--no-controls: contradicts" in said.one_line()

    def test_a_failed_unit_is_1_and_shown(self, run_tiny: Command) -> None:
        said = run_tiny("-t", "deprel", "-f", "md")
        assert said.code == 1
        assert "failed: fake, deprel.v1, layers 0, 1" in said.out and "only one label" in said.out

    def test_an_encoder_that_fails_is_3_and_the_others_are_shown(
        self, run_tiny: Command, fake: Any
    ) -> None:
        fake("broken", fail_at=0, weight=2.0)
        said = run_tiny("-e", "broken", "-f", "csv")
        assert said.code == 3
        assert "fake,,1,letter,1.000" in said.out
        assert said.err.splitlines()[-1].startswith("error: encoder broken: fails (RuntimeError")

    def test_settings_come_from_a_file_and_from_variables_below_flags(
        self, command: Command, corpus: Path, tmp_path: Path, fake: Any, monkeypatch: Any
    ) -> None:
        fake(), fake("other", weight=2.0)
        file = tmp_path / "run.toml"
        file.write_text(f'task = "pos"\ndata = "{corpus}"\nlayers = "0"\nworkers = 1\n')
        monkeypatch.setenv("PROBE_RUN_ENCODER", "fake other")
        monkeypatch.setenv("PROBE_RUN_CONFIG", str(file))
        said = command("run", "--layers", "1", "-o", tmp_path / "run", "-f", "csv")
        assert said.code == 0, said.err
        rows = [line.split(",")[:3] for line in said.out.splitlines()[1:5]]
        assert rows == [
            ["fake", "", "1"],
            ["onehot", "", "0"],
            ["other", "", "1"],
            ["random-vectors", "", "0"],
        ]

    def test_a_dry_run_computes_and_writes_nothing(
        self, run_tiny: Command, fake: Any, tmp_path: Path, corpus: Path
    ) -> None:
        encoder = fake()
        before = sorted(tmp_path.rglob("*"))
        said = run_tiny("-t", "morph:Number", "--dry-run")
        assert said.code == 0 and said.err == ""
        assert sorted(tmp_path.rglob("*")) == before and encoder.calls == 0
        assert "pos.v1: 3 labels; targets train" in said.out
        assert "units to measure 4, recorded 0" in said.out and "already 0 of 3 texts" in said.out
        run_tiny()
        after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        said = run_tiny("-t", "morph:Number", "--dry-run")
        assert "units to measure 2, recorded 2" in said.out and "already 3 of 3 texts" in said.out
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == after

    def test_it_needs_no_network(self, run_tiny: Command, monkeypatch: Any) -> None:
        def refuse(*arguments: object, **options: object) -> None:
            raise AssertionError("a connection was tried")

        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        assert run_tiny("-e", "random-vectors:4").code == 0

    def test_a_pipe_gets_the_table_alone_and_nothing_that_acts(
        self, corpus: Path, tmp_path: Path
    ) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "layerwise", "run", "-d", corpus, "-o", tmp_path / "run"],
            env={
                **os.environ,
                "PROBE_RUN_ENCODER": "random-vectors:4",
                "PROBE_RUN_TASK": "pos",
                "PROBE_RUN_WORKERS": "1",
                "PROBE_RUN_CONTROL_ENCODERS": "0",
            },
            capture_output=True,
            timeout=60,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == 0
        assert err == f"1 measured now, 0 recorded before; records: {tmp_path / 'run'}\n"
        assert not ACTS.search(out) and "random-vectors:4" in out and "majority" in out


HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202e[bold]x[/bold] <img onerror=x> | =1+1 \r\n \x9b2J"


class TestShow:
    @pytest.fixture
    def shown(self, run_tiny: Command, command: Command, tmp_path: Path) -> Command:
        assert run_tiny("-t", "morph:Number").code == 0
        return lambda *arguments: command("show", tmp_path / "run", *arguments)

    @pytest.mark.parametrize("format_", ["terminal", "md", "csv", "latex", "json", None])
    @pytest.mark.parametrize("intervals", [False, True])
    def test_every_format_has_every_number(
        self, format_: str | None, intervals: bool, shown: Command, tmp_path: Path
    ) -> None:
        said = shown(*(["-f", format_] if format_ else []), *(["--intervals"] if intervals else []))
        assert said.code == 0 and said.err == "" and not ACTS.search(said.out)
        for record in RecordFile(tmp_path / "run" / "records.jsonl").read().records:
            assert f"{record.scores['accuracy']:.3f}" in said.out
            assert record.interval is not None
            low = f"{record.interval.low:.3f}"
            assert not intervals or low in said.out
        if format_ == "json":
            assert len(json.loads(said.out)["rows"]) == 4

    def test_only_what_is_asked_for(self, shown: Command) -> None:
        said = shown("-t", "pos", "-f", "csv")
        assert "pos.v1" in said.out and "morph" not in said.out
        assert "morph:Number" in shown("-t", "morph:Number", "-f", "csv").out
        assert shown("-e", "fake").code == 0
        assert "did you mean fake?" in shown("-e", "fak").one_line()
        assert "did you mean pos?" in shown("-t", "ps").one_line()

    def test_a_damaged_line_is_told_and_left_out(self, shown: Command, tmp_path: Path) -> None:
        with (tmp_path / "run" / "records.jsonl").open("a") as file:
            file.write('{"key": "\x1b[31m')
        said = shown("-t", "pos", "-f", "csv")
        assert said.code == 0 and "fake,,1,letter,1.000" in said.out
        assert said.err.startswith("warning: ") and "records.jsonl:5: " in said.one_line()
        assert not ACTS.search(said.err)

    @pytest.mark.parametrize("format_", ["terminal", "md", "csv", "latex", "json"])
    def test_hostile_texts_of_records_come_out_harmless(
        self, format_: str, command: Command, tmp_path: Path
    ) -> None:
        key = Key(
            encoder=HOSTILE,
            fingerprint=HOSTILE,
            task=HOSTILE,
            data=HOSTILE,
            data_hash="0",
            layer=0,
            probe=HOSTILE,
            seed=0,
        )
        record = Record(
            key=key, layer_name=HOSTILE, layers=1, status="failed", error=HOSTILE, metric="f1"
        )
        RecordFile(tmp_path / "hostile.jsonl").append(record)
        said = command("show", tmp_path / "hostile.jsonl", "-f", format_)
        assert said.code == 0 and not ACTS.search(said.out)
        if format_ == "md":
            assert "<img" not in said.out
        if format_ == "csv":
            assert all(
                not cell.startswith("=")
                for row in csv.reader(said.out.splitlines())
                for cell in row
            )


class TestLists:
    @pytest.mark.parametrize(
        "what",
        ["encoders", "tasks", "probes", "data", "spaces", "strategies", "estimators", "cells"],
    )
    def test_as_lines_and_as_json(self, what: str, command: Command) -> None:
        said, rows = command("list", what), json.loads(command("list", what, "--json").out)
        assert said.code == 0 and said.err == ""
        lines = said.out.splitlines()
        assert len(lines) == len(rows) > 0
        for line, row in zip(lines, rows, strict=True):
            assert line.startswith(row["name"]) and row["what"] in line
            assert all(isinstance(value, str) and value for value in row.values())

    def test_our_names_are_there_with_their_package(self, command: Command) -> None:
        rows = json.loads(command("list", "encoders", "--json").out)
        assert {"transformer", "local", "hf", "onehot"} <= {row["name"] for row in rows}
        assert {row["from"] for row in rows if row["name"] == "onehot"} == {"layerwise"}

    def test_tasks_are_those_that_the_data_can_serve(self, command: Command, corpus: Path) -> None:
        rows = json.loads(command("list", "tasks", "--data", corpus, "--json").out)
        names = [row["name"] for row in rows]
        assert {"head", "morph:Number", "morph:all", "pos"} <= set(names)
        # There is one relation, no tag of the treebank's own, and no mention.
        assert {"deprel", "xpos", "coref"}.isdisjoint(names) and len(set(names)) == len(names)

    def test_a_broken_plugin_is_one_warning_and_hides_nothing(
        self, command: Command, register: Any
    ) -> None:
        register("probe", "broken", ImportError("no such library"))
        with pytest.warns(UserWarning, match="probe broken: cannot be imported"):
            said = command("list", "probes")
        assert said.code == 0 and "\nlinear " in said.out

    def test_hostile_names_of_data_come_out_harmless(
        self, command: Command, corpus: Path, tmp_path: Path, monkeypatch: Any
    ) -> None:
        folder = tmp_path / "all" / "ud" / "UD_X\x1b[31m\u202e"
        folder.mkdir(parents=True)
        for split in ("train", "dev", "test"):
            text = (corpus / f"tiny-{split}.conllu").read_text()
            (folder / f"en_zz-ud-{split}.conllu").write_text(text)
        monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "all"))
        said = command("list", "data")
        assert "ud:en_zz" in said.out and "\\x1b[31m\\u202e" in said.out
        assert not ACTS.search(said.out)


class TestData:
    def test_a_sound_file_is_0(self, command: Command, corpus: Path) -> None:
        said = command("data", "check", corpus / "tiny-train.conllu")
        assert said.code == 0 and "sound, 0 warnings; 10 documents, 30 sentences" in said.out

    def test_a_faulty_one_is_3_with_its_lines(self, command: Command, corpus: Path) -> None:
        good, bad = corpus / "tiny-dev.conllu", corpus / "tiny-test.conllu"
        lines = bad.read_text().splitlines()
        lines[2] = lines[2].replace("\troot\t", "\t\x1b[31mroot\t").replace("\t0\t", "\t77\t")
        bad.write_text("\n".join(lines) + "\n")
        said = command("data", "check", good, bad, "--limit", 1)
        assert said.code == 3 and f"{bad}:3: error: " in said.out
        assert f"{good}: sound" in said.out and "more problems; --limit" in said.out
        assert not ACTS.search(said.out)

    def test_stats_are_json(self, command: Command, corpus: Path) -> None:
        facts = json.loads(command("data", "stats", corpus).out)
        assert facts["files"]["train"]["documents"] == 10

    def test_the_builtin_corpus_can_be_taken_out_and_read_again(
        self, command: Command, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        said = command("data", "export", "builtin", "-o", out)
        assert said.code == 0 and len(said.out.splitlines()) == 3
        assert sorted(p.name for p in out.iterdir()) == [
            f"builtin-{split}.conllu" for split in ("dev", "test", "train")
        ]
        assert command("data", "check", out / "builtin-test.conllu").code == 0
        said = command("data", "export", "builtin", "-o", out)
        assert said.code == 2 and "--force writes over it" in said.one_line()
        assert command("data", "export", "builtin", "-o", out, "--force").code == 0


class TestCheck:
    def test_an_encoder_that_keeps_the_contract_is_0(self, command: Command) -> None:
        said = command("check", "encoder", "random-vectors:16")
        assert said.code == 0 and said.out.endswith("random-vectors:16: keeps the contract\n")
        assert "FAIL" not in said.out

    def test_one_that_breaks_it_is_1_and_the_clause_is_named(
        self, command: Command, fake: Any, register: Any
    ) -> None:
        class Forgetful(type(fake())):  # type: ignore[misc]
            def encode(self, documents: Any) -> Any:
                for array in super().encode(documents):
                    yield array + self.calls

        register("encoder", "forgetful", lambda argument, options: Forgetful())
        said = command("check", "encoder", "forgetful")
        assert said.code == 1
        assert re.search("FAIL  no state between calls: differs by", said.out)
        assert re.search(r"forgetful: \d of \d+ clauses broken\n$", said.out)

    def test_what_a_broken_one_says_comes_out_harmless(
        self, command: Command, fake: Any, register: Any
    ) -> None:
        class Hostile(type(fake())):  # type: ignore[misc]
            def encode(self, documents: Any) -> Any:
                raise RuntimeError(HOSTILE)

        register("encoder", "hostile", lambda argument, options: Hostile())
        said = command("check", "encoder", "hostile")
        assert said.code == 1 and "\\x1b[31mred" in said.out and not ACTS.search(said.out)
