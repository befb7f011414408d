"""Downloads: what is kept, what is refused, and whether the recipes make the files that we know."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.core.files import sha256_of
from layerwise.core.types import SPLITS
from layerwise.tasks import fetch as fetching
from layerwise.tasks.corpora import load_corpus
from layerwise.tasks.fetch import fetch, fetched, folder_of
from layerwise.tasks.upstream import SOURCES, Piece, Source
from layerwise.tasks.upstream_sums import SUMS

HEAD = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL\n"
ROW = "{}\tAnn told Bea that she won.\tshe\t18\tAnn\t0\tTRUE\tBea\t9\tFALSE\tu\n"


def gap(name: str, count: int) -> bytes:
    return (HEAD + "".join(ROW.format(f"{name}-{i}") for i in range(count))).encode()


FILES = {
    "gap-development.tsv": gap("development", 20),
    "gap-validation.tsv": gap("validation", 4),
    "gap-test.tsv": gap("test", 4),
    "LICENSE": b"free",
    "gap_scorer.py": b"print()",
}


def archive(files: Mapping[str, bytes], *others: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"repository-1234/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for other in others:
            tar.addfile(other)
    return packed.getvalue()


class Server:
    """Serves ``answer`` (a status, headers and a body) on this machine."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                status, headers, body = outer.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/x.tar.gz"

    def serve(self, body: bytes) -> None:
        self.answer = (200, {"Content-Length": str(len(body))}, body)

    def open(self, url: str) -> Any:
        """Any address is here, and over plain http: for these tests alone."""
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            self.url, timeout=5
        )


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=partial(made.http.serve_forever, poll_interval=0.01))
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cache of its own, and GAP without the sums of the published files."""
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LAYERWISE_DATA", raising=False)
    pieces = [Piece(name, re.escape(name)) for name in FILES if name.endswith(".tsv")]
    known = Piece(pieces[0].name, pieces[0].members, sha256=_sum(FILES[pieces[0].name]))
    source = Source("who/gap", "c0ffee" * 6 + "cafe", "CC0", (known, *pieces[1:]))
    monkeypatch.setitem(SOURCES, "gap", source)


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_is_fetched_is_a_corpus(server: Server) -> None:
    with pytest.raises(DataError, match="`probe data fetch gap --allow-download` gets it"):
        load_corpus("gap")
    server.serve(archive(FILES))
    done = fetch("gap", open_address=server.open)
    assert not done.was_there and done.folder == folder_of("gap")
    assert done.folder.name == "gap@c0ffeec0ffee"
    assert done.pinned == {
        "gap-development.tsv": True,
        "gap-validation.tsv": False,
        "gap-test.tsv": False,
        "LICENSE": False,
    }
    for name in done.pinned:
        assert (done.folder / name).read_bytes() == FILES[name]
    corpus = load_corpus("gap")
    assert [len(corpus.splits[split]) for split in SPLITS] == [20, 4, 4]
    assert corpus.facts["source"] == "github who/gap @ " + "c0ffee" * 6 + "cafe"
    assert corpus.facts["licence_files"] == ["LICENSE"]
    assert corpus.facts["fetched"]["sha256_known_before"] == done.pinned
    assert corpus.facts["files"]["test"]["sha256"] == _sum(FILES["gap-test.tsv"])
    json.dumps(corpus.facts)
    # Once more asks no one.
    assert fetch("gap", open_address=server.open).was_there
    assert server.asked == 1


def test_a_known_file_must_be_as_known(server: Server) -> None:
    server.serve(archive({**FILES, "gap-development.tsv": gap("other", 3)}))
    with pytest.raises(DataError, match=r"gap-development\.tsv has the sha256 .* the one known"):
        fetch("gap", open_address=server.open)
    assert fetched("gap") is None
    assert not list(folder_of("gap").glob("*.tsv"))


def test_other_files_must_be_as_at_first(server: Server) -> None:
    server.serve(archive(FILES))
    fetch("gap", open_address=server.open)
    server.serve(archive({**FILES, "gap-test.tsv": gap("test", 9)}))
    with pytest.raises(DataError, match=r"gap-test\.tsv has the sha256 .* of the first download"):
        fetch("gap", again=True, open_address=server.open)
    assert (folder_of("gap") / "gap-test.tsv").read_bytes() == FILES["gap-test.tsv"]
    server.serve(archive(FILES))
    assert not fetch("gap", again=True, open_address=server.open).was_there


def test_damage_is_noticed_and_repaired(server: Server) -> None:
    server.serve(archive(FILES))
    damaged = fetch("gap", open_address=server.open).folder / "gap-test.tsv"
    damaged.write_bytes(gap("test", 2))
    with pytest.raises(DataError, match="not those that were fetched; `probe data fetch gap"):
        load_corpus("gap")
    fetch("gap", open_address=server.open)
    assert damaged.read_bytes() == FILES["gap-test.tsv"]
    (folder_of("gap") / "manifest.json").write_text("[")  # a fetch that was cut short has none
    assert fetched("gap") is None


def test_nothing_else_of_an_archive_is_written(server: Server, tmp_path: Path) -> None:
    link = tarfile.TarInfo("repository-1234/gap-test.tsv")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    up = {"../../../gap-test.tsv": b"x", "../LICENSE": b"y", "a/../LICENSE": b"z"}
    body = archive({**FILES, **up}, link)
    server.serve(body)
    folder = fetch("gap", open_address=server.open).folder
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert names == {*FILES, "manifest.json", "PROVENANCE.md"} - {"gap_scorer.py"}
    assert (folder / "LICENSE").read_bytes() == b"free"
    written = {path.parent for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {folder}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b"", "HTTPError: Not Found"),
        (200, b"", "cannot be downloaded"),
        (200, b"<html>", "cannot be downloaded"),
        (200, archive(FILES)[:300], "cannot be downloaded"),
        (200, archive({"LICENSE": b""}), r"nothing for gap-development\.tsv in the archive"),
    ],
)
def test_bad_answers(server: Server, status: int, body: bytes, expected: str) -> None:
    server.answer = (status, {}, body)
    with pytest.raises(DataError, match=expected) as caught:
        fetch("gap", open_address=server.open)
    assert "codeload.github.com/who/gap" in str(caught.value) and "\n" not in str(caught.value)
    assert fetched("gap") is None


def test_no_server_at_all(server: Server) -> None:
    def refused(url: str) -> Any:
        raise ConnectionRefusedError("refused")

    with pytest.raises(DataError, match=r"ConnectionRefusedError: refused.*set LAYERWISE_DATA"):
        fetch("gap", open_address=refused)


@pytest.mark.parametrize("most", [100, 2000])
def test_too_much(server: Server, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    server.serve(archive(FILES))
    monkeypatch.setattr(fetching, "_MOST", most)
    with pytest.raises(DataError, match="which this corpus does not have"):
        fetch("gap", open_address=server.open)


def test_only_https(server: Server) -> None:
    with pytest.raises(ValueError, match="is not https"):
        fetching._over_https(server.url)
    with pytest.raises(ValueError, match="is not https"):
        fetching._over_https("file:///etc/passwd")
    follow = fetching._HttpsAlone()
    request = urllib.request.Request("https://a.example/x")
    arguments: tuple[Any, ...] = (request, io.BytesIO(), 302, "", {})
    with pytest.raises(ValueError, match="is not https"):
        follow.redirect_request(*arguments, "http://a.example/y")
    followed = follow.redirect_request(*arguments, "https://b.example/y")
    assert followed is not None and followed.full_url == "https://b.example/y"


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match=r"no source of 'gab' is known; did you mean gap"):
        fetch("gab")
    assert fetched("gum_open") is None


def test_the_table_of_sources() -> None:
    names = [piece.name for source in SOURCES.values() for piece in source.pieces]
    assert len(names) == len(set(names)) and set(SUMS) <= set(names)
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in SUMS.values())
    for source in SOURCES.values():
        assert re.fullmatch("[0-9a-z]{40}", source.commit)
        assert source.url.startswith("https://") and source.licence
        for piece in source.pieces:
            re.compile(piece.members)


@contextmanager
def opened(body: bytes) -> Iterator[Any]:
    answer: Any = io.BufferedReader(io.BytesIO(body))  # type: ignore[arg-type]
    answer.headers = {}
    yield answer


def unpacked(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def litbank(folder: Path) -> dict[str, str]:
    """LitBank's documents as their repository has them, from the joined files."""
    found = {}
    text = unpacked(folder / "litbank.coref.conll.gz")
    for each in re.findall(r"#begin document .*?#end document\n", text, re.DOTALL):
        found[f"coref/conll/{re.findall(r'[(](.*?)[)]', each)[0]}.conll"] = each
    for line in unpacked(folder / "litbank.coref.ann.tsv.gz").splitlines():
        name, _, rest = line.partition("\t")
        path = f"coref/tsv/{name}.ann"
        found[path] = found.get(path, "") + rest + "\n"
    return found


def winobias(folder: Path) -> dict[str, str]:
    return {
        f"WinoBias/wino/data/{path.name}": path.read_bytes().decode()
        for path in folder.glob("*.txt*")
    }


def gum(folder: Path) -> dict[str, str]:
    """GUM's documents, among them some from Reddit, which must be left out."""
    masked = {"dep": "conllu", "const": "ptb", "coref/ontogum/conll": "conll"}
    found = {f"{place}/GUM_reddit_x.{ending}": "_\n" for place, ending in masked.items()}
    names = json.loads((folder / "splits.json").read_text())
    for split in SPLITS:
        parts = {
            ("dep", "conllu"): (r"(?=# newdoc id = )", "conllu"),
            ("const", "ptb"): (r"# newdoc id = .*\n", "ptb"),
            ("coref/ontogum/conll", "conll"): (r"(?=# begin document)", "ontogum.conll"),
        }
        for (place, ending), (border, kind) in parts.items():
            if split == "train" and place != "coref/ontogum/conll":
                continue  # large, and made like the others
            texts = re.split(border, unpacked(folder / f"en_gum-ud-{split}.{kind}.gz"))[1:]
            for name, text in zip(names[split], texts, strict=True):
                found[f"{place}/{name}.{ending}"] = text
    return found


@pytest.mark.parametrize(
    ("name", "pieces"), [("litbank", litbank), ("winobias", winobias), ("gum", gum)]
)
def test_the_recipes_make_the_files_that_are_known(
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    pieces: Callable[[Path], dict[str, str]],
) -> None:
    large = ("en_gum-ud-train.conllu", "en_gum-ud-train.ptb")
    some = tuple(piece for piece in SOURCES[name].pieces if piece.name not in large)
    monkeypatch.setitem(SOURCES, name, replace(SOURCES[name], pieces=some))
    # Ends of files are left off: how many empty lines a repository has there must not matter.
    texts = pieces(shared_data / name)
    joined = name != "winobias"
    files = {path: (text.rstrip("\n") if joined else text).encode() for path, text in texts.items()}
    done = fetch(name, open_address=lambda url: opened(archive(files)))
    known = {file for file, pinned in done.pinned.items() if pinned}
    assert known == {piece.name for piece in SOURCES[name].pieces} - {"splits.json"}
    for file in known:
        assert sha256_of(done.folder / file) == SUMS[file]
    if name == "litbank":
        expected = json.loads((shared_data / "litbank/splits.json").read_text())
        made = json.loads((done.folder / "splits.json").read_text())
        assert {split: set(made[split]) for split in SPLITS} == {
            split: set(expected[split]) for split in SPLITS
        }
