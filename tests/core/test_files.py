"""Files: complete or absent, one line at a time, under a lock, and named safely."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core import files
from layerwise.core.errors import DataError, LayerwiseError, UsageError

PLAIN = re.compile(r"[a-z0-9_+][a-z0-9._+-]*")
WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def run(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Python in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
    )


class TestAtomicWriter:
    def test_the_file_appears_only_at_the_end(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "file"
        with files.atomic_writer(path) as stream:
            stream.write(b"new")
            assert not path.exists()
        assert path.read_bytes() == b"new"
        assert os.listdir(path.parent) == ["file"]

    @pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), SystemExit(3)])
    def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(
        self, tmp_path: Path, error: BaseException
    ) -> None:
        path = tmp_path / "file"
        path.write_text("old")
        with pytest.raises(type(error)) as caught, files.atomic_writer(path, "w") as stream:
            stream.write("half of the n")
            raise error
        assert caught.value is error
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["file"]

    @pytest.mark.parametrize("call", ["fsync", "replace"])
    def test_a_full_disk_is_told_with_the_file_and_leaves_the_old_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        path = tmp_path / "file"
        path.write_text("old")
        monkeypatch.setattr(os, call, full)
        with pytest.raises(LayerwiseError) as caught:
            files.write_text(path, "new")
        assert "No space left on device" in str(caught.value)
        assert caught.value.where == str(path) and caught.value.cure
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["file"]

    def test_a_folder_that_may_not_be_written_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def denied(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("tempfile.mkstemp", denied)
        with pytest.raises(LayerwiseError, match="Permission denied") as caught:
            files.write_text(tmp_path / "file", "new")
        assert caught.value.where == str(tmp_path / "file")

    def test_a_folder_in_the_place_of_the_file_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").mkdir()
        with pytest.raises(LayerwiseError, match="cannot be written"):
            files.write_text(tmp_path / "file", "new")
        assert os.listdir(tmp_path) == ["file"]

    def test_others_may_read_what_was_written(self, tmp_path: Path) -> None:
        files.write_text(tmp_path / "file", "text")
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644

    def test_a_long_name_fits(self, tmp_path: Path) -> None:
        path = tmp_path / ("é" * 120)
        files.write_text(path, "text")
        assert path.read_text() == "text"

    def test_text_has_the_same_bytes_everywhere(self, tmp_path: Path) -> None:
        files.write_text(tmp_path / "file", "né\r\n\n")
        assert (tmp_path / "file").read_bytes() == b"n\xc3\xa9\r\n\n"

    def test_a_file_where_a_folder_should_be_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="cannot be made"):
            files.write_text(tmp_path / "file" / "below", "text")


class TestAppendLine:
    def test_lines_follow_one_another(self, tmp_path: Path) -> None:
        for line in ("one", "zwölf", ""):
            files.append_line(tmp_path / "log", line)
        assert (tmp_path / "log").read_bytes() == "one\nzwölf\n\n".encode()

    @given(torn=st.binary(min_size=1, max_size=20).filter(lambda b: not b.endswith(b"\n")))
    def test_a_torn_last_line_spoils_no_other(
        self, tmp_path_factory: pytest.TempPathFactory, torn: bytes
    ) -> None:
        path = tmp_path_factory.mktemp("torn") / "log"
        path.write_bytes(b"whole\n" + torn)
        files.append_line(path, "next")
        assert path.read_bytes() == b"whole\n" + torn + b"\nnext\n"

    def test_a_full_disk_is_told_and_the_next_line_is_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "full")

        path = tmp_path / "log"
        files.append_line(path, "one")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(LayerwiseError, match="full"):
                files.append_line(path, "two")
        files.append_line(path, "three")
        assert path.read_text().splitlines()[-1] == "three"

    def test_processes_at_once_lose_no_line(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from layerwise.core.files import append_line\n"
            "for i in range(40): append_line(Path(sys.argv[1]), f'{sys.argv[2]} {i} ' + 'x' * 9000)"
        )
        path = tmp_path / "log"
        writers = [run(code, str(path), str(k)) for k in range(3)]
        for writer in writers:
            writer.communicate()
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        lines = path.read_text().splitlines()
        written = [f"{k} {i} " + "x" * 9000 for k in range(3) for i in range(40)]
        assert sorted(lines) == sorted(written)

    def test_a_line_waits_for_the_lock(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from layerwise.core.files import append_line\n"
            "print('ready', flush=True); append_line(Path(sys.argv[1]), 'theirs')"
        )
        path = tmp_path / "log"
        with files.lock(path):
            writer = run(code, str(path))
            assert writer.stdout and writer.stdout.readline() == "ready\n"
            time.sleep(0.2)
            assert not path.exists()
            path.write_text("mine\n")
        writer.communicate()
        assert path.read_text() == "mine\ntheirs\n"


HOLD = """
import sys, time
from pathlib import Path
from layerwise.core.files import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
    Path(sys.argv[1]).write_text("released")
"""


class TestLock:
    def test_another_process_is_waited_for_and_the_wait_is_told_once(self, tmp_path: Path) -> None:
        path, told = tmp_path / "thing", []
        with run(HOLD, str(path), "1.2") as holder:
            assert holder.stdout and holder.stdout.readline() == "held\n"
            with files.lock(path, waiting=lambda: told.append(path.exists())):
                assert path.read_text() == "released"
        assert told == [False]

    def test_a_killed_holder_frees_its_lock(self, tmp_path: Path) -> None:
        path = tmp_path / "thing"
        with run(HOLD, str(path), "600") as holder:
            assert holder.stdout and holder.stdout.readline() == "held\n"
            holder.send_signal(signal.SIGKILL)
        with files.lock(path, waiting=lambda: pytest.fail("the dead still hold it")):
            assert not path.exists()

    def test_an_error_in_the_block_frees_it(self, tmp_path: Path) -> None:
        for _ in range(2):
            with (
                pytest.raises(ZeroDivisionError),
                files.lock(tmp_path / "thing", waiting=lambda: pytest.fail("held")),
            ):
                raise ZeroDivisionError

    def test_a_lock_that_cannot_be_had_is_told(self, tmp_path: Path) -> None:
        (tmp_path / ".thing.lock").mkdir()
        with (
            pytest.raises(LayerwiseError, match="cannot be written"),
            files.lock(tmp_path / "thing"),
        ):
            pass


class TestRandomAccess:
    def test_bytes_go_where_they_are_put_and_the_rest_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        with files.random_access(path, 6) as out:
            os.pwrite(out, b"ab", 4)
        assert path.read_bytes() == b"\0\0\0\0ab"
        with files.random_access(path) as out:
            os.pwrite(out, b"c", 0)
        assert path.read_bytes() == b"c\0\0\0ab"

    def test_a_full_disk_is_told(self, tmp_path: Path) -> None:
        with (
            pytest.raises(LayerwiseError, match=r"file: cannot be written \(full\)"),
            files.random_access(tmp_path / "file", 6),
        ):
            raise OSError(errno.ENOSPC, "full")

    def test_other_errors_pass(self, tmp_path: Path) -> None:
        with pytest.raises(KeyError), files.random_access(tmp_path / "file", 6):
            raise KeyError("mine")

    def test_a_folder_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(LayerwiseError), files.random_access(tmp_path):
            pass


names = st.one_of(
    st.text(max_size=120),
    st.text(st.sampled_from("aAbB.-_ /\\\0é"), max_size=12),
    st.sampled_from(["con", "NUL", "com1.txt", "..", ".", "", "a.", "-a", "😀", "🎉", "../../x"]),
)


class TestSafeName:
    @settings(max_examples=400, deadline=None)
    @given(names)
    def test_it_is_a_plain_name_that_every_system_takes(self, text: str) -> None:
        name = files.safe_name(text)
        assert PLAIN.fullmatch(name) and len(name) <= 100
        assert not name.endswith(".") and not WINDOWS.fullmatch(name)

    @settings(max_examples=400, deadline=None)
    @given(names, names)
    def test_different_texts_have_names_that_differ_in_more_than_case(
        self, one: str, other: str
    ) -> None:
        same = files.safe_name(one).casefold() == files.safe_name(other).casefold()
        assert same == (one == other)

    @settings(max_examples=200, deadline=None)
    @given(names)
    def test_not_even_a_name_made_by_it_is_taken_twice(self, text: str) -> None:
        made = files.safe_name(text)
        assert made == text or files.safe_name(made) != made

    @settings(max_examples=200, deadline=None)
    @given(names)
    def test_case_and_unicode_form_make_other_names(self, text: str) -> None:
        forms = {text, text.upper(), text.lower(), unicodedata.normalize("NFD", text)}
        forms.add(unicodedata.normalize("NFC", text))
        assert len({files.safe_name(form).casefold() for form in forms}) == len(forms)

    @pytest.mark.parametrize("text", ["pos.v1", "gum", "en_ewt-ud", "a", "+random7", "x" * 80])
    def test_a_plain_name_stays(self, text: str) -> None:
        assert files.safe_name(text) == text

    @pytest.mark.parametrize(
        "text", ["../../x", "/etc/x", "a\0b", "CON", "x" * 300, "😀", "é", "e\u0301", "\ud800", ""]
    )
    def test_a_hostile_one_stays_within_its_folder(self, tmp_path: Path, text: str) -> None:
        name = files.safe_name(text)
        path = files.inside(tmp_path, name)
        path.write_text("here")
        assert os.listdir(tmp_path) == [name]

    def test_what_it_was_can_still_be_read(self) -> None:
        assert files.safe_name("Léa's Model/v2").startswith("lea-s-model-v2-")


class TestInside:
    @pytest.mark.parametrize("name", ["..", "../x", "a/../../x", "/etc/passwd", "//etc"])
    def test_a_way_out_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(UsageError, match="outside"):
            files.inside(tmp_path / "folder", name)

    def test_a_neighbour_with_the_same_beginning_is_outside(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError):
            files.inside(tmp_path / "folder", "../folder2/x")

    @pytest.mark.parametrize("name", ["x", "a/b", "a/../b", "./x", "...", "..x"])
    def test_what_stays_within_is_given(self, tmp_path: Path, name: str) -> None:
        assert files.inside(tmp_path, name) == (tmp_path / os.path.normpath(name)).resolve()

    def test_a_link_that_leads_out_is_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        (folder / "out").symlink_to(tmp_path)
        (folder / "in").symlink_to(folder)
        with pytest.raises(UsageError):
            files.inside(folder, "out/x")
        assert files.inside(folder, "in/x") == folder.resolve() / "x"

    def test_a_folder_behind_a_link_is_no_way_out(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        assert files.inside(tmp_path / "link", "x") == (tmp_path / "real" / "x").resolve()

    def test_what_names_no_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "circle").symlink_to(tmp_path / "circle")
        for name in ("a\0b", "circle/x"):
            with pytest.raises(UsageError):
                files.inside(tmp_path, name)


class TestJson:
    @given(
        st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.booleans(), st.none()))
    )
    def test_one_text_for_one_value_whatever_the_order(self, value: dict[str, object]) -> None:
        turned = dict(reversed(list(value.items())))
        assert files.canonical_json(value) == files.canonical_json(turned)
        assert json.loads(files.canonical_json(value)) == value
        assert files.canonical_json(value).isascii()

    def test_different_values_have_different_texts(self) -> None:
        nested = [{"a": {"b": 1}}, {"a": {}, "b": 1}]
        values = [1, 1.5, "1", [1], {"1": 1}, None, True, "true", *nested]
        assert len({files.canonical_json(value) for value in values}) == len(values)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_what_is_no_json_is_refused(self, value: float) -> None:
        with pytest.raises(ValueError):
            files.canonical_json({"a": value})

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b'{"a": 1', b"\xff\xfe", b"[" * 100_000, b"nope", b'"\xf0"', b"1" * 5000],
    )
    def test_a_damaged_file_is_told_by_name(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "file.json"
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            files.read_json(path)
        assert caught.value.where == str(path)

    def test_a_missing_file_or_a_folder_is_told_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no such file"):
            files.read_json(tmp_path / "none")
        with pytest.raises(DataError, match=re.escape(str(tmp_path))):
            files.read_json(tmp_path)

    @pytest.mark.parametrize("text", ["é", "\ud800", "a\udcffb", "\\ud800", "\U0001f600"])
    def test_any_text_comes_back(self, tmp_path: Path, text: str) -> None:
        files.write_json(tmp_path / "file", {text: text})
        assert files.read_json(tmp_path / "file") == {text: text}


def test_a_checksum_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert files.sha256_of(path) == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    with pytest.raises(DataError, match=r"none: cannot be read"):
        files.sha256_of(tmp_path / "none")


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path))
    assert files.cache_folder() == tmp_path
    monkeypatch.delenv("LAYERWISE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert files.cache_folder() == tmp_path / "xdg" / "layerwise"
