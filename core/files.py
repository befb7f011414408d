"""Files: the only module that opens anything for writing.

A file is complete or absent: it is written under a temporary name in the same folder, flushed to
the disk and then renamed. Names made from data pass through ``safe_name``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from .errors import DataError, LayerwiseError, UsageError

_CHUNK = 1 << 20
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_MARKED = re.compile(r"[-_][0-9a-f]{8}$")  # what ``safe_name`` puts behind a changed name


def cache_folder() -> Path:
    """Where activations and generated data go: ``LAYERWISE_CACHE`` or the user's cache folder."""
    chosen = os.environ.get("LAYERWISE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "layerwise"


def make_folder(path: Path) -> Path:
    """Create the folder and its parents, with an error that names it when that is impossible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"this folder cannot be made ({error.strerror})", where=str(path), cure="name another"
        ) from error
    return path


@contextmanager
def atomic_writer(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file that appears at ``path`` only when the block ends without an error."""
    make_folder(path.parent)
    encoding = None if "b" in mode else "utf-8"
    newline = None if "b" in mode else "\n"
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:60]}.", dir=path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with os.fdopen(handle, mode, encoding=encoding, newline=newline) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _cannot_write(path, error) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file, complete or not at all."""
    with atomic_writer(path, "w") as stream:
        stream.write(text)


def write_json(path: Path, value: object) -> None:
    """Write a JSON file, sorted and indented, complete or not at all."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    # A file name that is not UTF-8 reaches Python with lone surrogates, which UTF-8 cannot hold.
    text = re.sub("[\ud800-\udfff]", lambda lone: f"\\u{ord(lone[0]):04x}", text)
    write_text(path, text + "\n")


def canonical_json(value: object) -> str:
    """One text for one value, whatever the order of its keys: for hashes and comparisons."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def read_json(path: Path) -> Any:
    """Read a JSON file; an unreadable one is a DataError that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError("no such file", where=str(path)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"cannot be read as JSON ({error})", where=str(path)) from error


def append_line(path: Path, line: str) -> None:
    """Append one line under a lock and flush it to the disk.

    A torn last line, left by a killed writer, is closed first, so that it can spoil no other.
    """
    make_folder(path.parent)
    with lock(path), _writable(path, "ab+") as stream:
        size = stream.seek(0, os.SEEK_END)
        torn = False
        if size:
            stream.seek(size - 1)
            torn = stream.read(1) != b"\n"
        stream.write((b"\n" if torn else b"") + line.encode("utf-8") + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def random_access(path: Path, size: int | None = None) -> Iterator[int]:
    """Open a file descriptor for writing at given places; ``size`` sets the file's length first.

    For files whose completeness is told by a marker of their own, written last.
    """
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        if size is not None:
            os.ftruncate(descriptor, size)
        yield descriptor
        os.fsync(descriptor)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        os.close(descriptor)


@contextmanager
def lock(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold ``path``'s lock; a dead process's lock is free at once (the system drops it).

    ``waiting`` is called once if another process holds it.
    """
    make_folder(path.parent)
    guard = FileLock(path.parent / f".{path.name}.lock")
    try:
        try:
            guard.acquire(timeout=0.5 if waiting else -1)
        except Timeout:
            if waiting is not None:
                waiting()
            guard.acquire()
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield
    finally:
        guard.release()


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
    return digest.hexdigest()


def safe_name(text: str) -> str:
    """A file name for any text: readable, portable, and different for different texts.

    A text that is a plain name already stays as it is; any other gets a short hash behind it.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "-", plain).strip("-.")[:80]
    as_it_is = plain == text == plain.lower() and plain and not _MARKED.search(plain)
    if as_it_is and not _RESERVED.fullmatch(plain):
        return plain
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain.lower() or 'unnamed'}-{mark}" if not _RESERVED.fullmatch(plain) else f"_{mark}"


def inside(folder: Path, name: str) -> Path:
    """``folder/name``, refused when it would lie outside the folder."""
    try:
        path = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a NUL
        raise UsageError(f"{name!r} is not a file's name", where=str(folder)) from error
    if not path.is_relative_to(folder.resolve()):
        raise UsageError(f"{name!r} points outside the folder", where=str(folder))
    return path


@contextmanager
def _writable(path: Path, mode: str) -> Iterator[IO[bytes]]:
    try:
        with path.open(mode) as stream:
            yield stream
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> LayerwiseError:
    return LayerwiseError(
        f"cannot be written ({error.strerror or error})",
        where=str(path),
        cure="free some space or name another folder",
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
