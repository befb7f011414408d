"""Named corpora from the public commits that they were published in. Only where the user asks."""

from __future__ import annotations

import hashlib
import re
import tarfile
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path, PurePosixPath
from typing import IO, Any, NoReturn, Protocol
from urllib.error import HTTPError

from ..core import progress
from ..core.errors import DataError, LayerwiseError, UsageError, did_you_mean
from ..core.files import (
    atomic_writer,
    cache_folder,
    lock,
    read_json,
    sha256_of,
    write_json,
    write_text,
)
from .upstream import SOURCES, Member, Piece, Source

_MANIFEST = "manifest.json"
_MOST = 2 << 30
"""Bytes of an archive, and of what is kept of it. The largest here has a tenth of that."""
_SECONDS = 60


class Response(Protocol):
    """What an opened address gives."""

    headers: HTTPMessage | Mapping[str, str]

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""
        ...


Open = Callable[[str], Any]


@dataclass(frozen=True)
class Fetched:
    """A corpus in the cache. ``pinned`` tells of each file whether its sha256 was known before."""

    folder: Path
    pinned: Mapping[str, bool]
    was_there: bool


def fetch(name: str, *, again: bool = False, open_address: Open | None = None) -> Fetched:
    """Download a named corpus into the cache, unless it is there already and not to come ``again``.

    Of the archive only the corpus's files are read, and they are written under names of ours. A
    file whose sha256 is known must have it; that of any other is kept in the manifest, and a later
    download must give the same. ``open_address`` is what opens an address, by default over https
    alone.

    Raises UsageError for a name that has no source here, DataError where the download fails or
    gives other files.
    """
    source = SOURCES.get(name)
    if source is None:
        raise UsageError(
            f"no source of {name!r} is known",
            where="probe data fetch",
            cure=did_you_mean(name, SOURCES),
        )
    folder = folder_of(name)
    manifest = folder / _MANIFEST
    with lock(manifest):
        before = _manifest(manifest)
        if before and not again and _is_sound(folder, before):
            return Fetched(folder, _pinned(source, before), True)
        made = _made(name, source, _download(name, source, open_address or _over_https))
        sums = {file: hashlib.sha256(data).hexdigest() for file, data in made.items()}
        _compare(name, source, sums, before)
        for file, data in made.items():
            with atomic_writer(folder / file) as stream:
                stream.write(data)
        write_text(folder / "PROVENANCE.md", _provenance(name, source))
        write_json(manifest, sums)
    return Fetched(folder, _pinned(source, sums), False)


def folder_of(name: str) -> Path:
    """Where a fetched corpus lies: below the cache, named by its commit."""
    return cache_folder() / "data" / f"{name.replace(':', '-')}@{SOURCES[name].commit[:12]}"


def fetched(name: str) -> Fetched | None:
    """The corpus, if it was fetched. Raises DataError where its files are not as they were."""
    if name not in SOURCES:
        return None
    folder = folder_of(name)
    before = _manifest(folder / _MANIFEST)
    if not before:
        return None
    if not _is_sound(folder, before):
        raise DataError(
            "its files are not those that were fetched",
            where=str(folder),
            cure=f"`probe data fetch {name} --allow-download` gets them again",
        )
    return Fetched(folder, _pinned(SOURCES[name], before), True)


def _manifest(path: Path) -> dict[str, str]:
    try:
        read = read_json(path)
    except LayerwiseError:
        return {}
    return read if isinstance(read, dict) else {}


def _is_sound(folder: Path, sums: Mapping[str, str]) -> bool:
    try:
        return all(sha256_of(folder / file) == digest for file, digest in sums.items())
    except LayerwiseError:
        return False


def _pinned(source: Source, sums: Mapping[str, str]) -> dict[str, bool]:
    known = {piece.name for piece in source.pieces if piece.sha256}
    return {file: file in known for file in sums}


def _download(name: str, source: Source, open_address: Open) -> dict[str, bytes]:
    """The files of the archive that the corpus is made of, by their paths."""
    wanted = re.compile("|".join(f"(?:{each.members})" for each in source.pieces))
    papers = re.compile(source.papers)
    found: dict[str, bytes] = {}
    size = 0
    with _told(source.url), open_address(source.url) as response:
        length = response.headers.get("Content-Length") or ""
        total = int(length) if length.isdigit() else None
        with progress.bar(f"fetching {name}", total) as advance:
            stream: Any = _Limited(response, advance, source.url)
            with tarfile.open(fileobj=stream, mode="r|gz") as archive:
                for member in archive:
                    path = member.name.partition("/")[2]  # without the archive's own folder
                    if not member.isreg() or not (wanted.fullmatch(path) or papers.fullmatch(path)):
                        continue
                    size += member.size
                    if size > _MOST:
                        _refuse(source.url)
                    data = archive.extractfile(member)
                    found[path] = data.read() if data is not None else b""
    return found


class _Limited:
    """A stream that ends with an error before it gives more than was thought possible."""

    def __init__(self, stream: Response, advance: Callable[[float, str], None], where: str) -> None:
        self._stream, self._advance, self._where = stream, advance, where
        self._size = 0

    def read(self, size: int) -> bytes:
        """The next bytes, counted."""
        data = self._stream.read(size)
        self._size += len(data)
        if self._size > _MOST:
            _refuse(self._where)
        self._advance(len(data), "")
        return data


def _refuse(where: str) -> NoReturn:
    raise DataError(
        f"more than {_MOST >> 30} GiB, which this corpus does not have",
        where=where,
        cure="get it by hand",
    )


def _made(name: str, source: Source, found: Mapping[str, bytes]) -> dict[str, bytes]:
    """The corpus's files, by name."""
    made = {piece.name: _piece(piece, found, source.url) for piece in source.pieces}
    for path, data in found.items():
        if re.fullmatch(source.papers, path):
            made.setdefault(path, data)
    return made


def _piece(piece: Piece, found: Mapping[str, bytes], where: str) -> bytes:
    paths = [path for path in found if re.fullmatch(piece.members, path)]
    if not paths:
        raise DataError(
            f"nothing for {piece.name} in the archive", where=where, cure="get the corpus by hand"
        )
    members = (Member(PurePosixPath(path).stem, found[path]) for path in sorted(paths, key=_order))
    return piece.join(list(members))


def _order(path: str) -> tuple[int, str]:
    """By number, where names begin with one, otherwise by name."""
    name = PurePosixPath(path).name
    number = re.match("[0-9]+", name)
    return (int(number[0]) if number else 0, name)


def _compare(name: str, source: Source, sums: Mapping[str, str], before: Mapping[str, str]) -> None:
    known = {piece.name: piece.sha256 for piece in source.pieces if piece.sha256}
    for file, digest in sums.items():
        expected = known.get(file) or before.get(file, digest)
        if digest != expected:
            known_by = "known" if file in known else "of the first download"
            raise DataError(
                f"{file} has the sha256 {digest[:12]}, and the one {known_by} is {expected[:12]}",
                where=source.url,
                cure=f"nothing was kept; get the corpus by hand, or look into {folder_of(name)}",
            )


def _provenance(name: str, source: Source) -> str:
    return (
        f"# {name}\n\nSource: github {source.repository} @ {source.commit}\n"
        f"Licence: {source.licence}\n"
    )


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Whatever a network or an archive can do wrong, as an error that says so."""
    try:
        yield
    except (OSError, HTTPException, tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"cannot be downloaded ({type(error).__name__}: {reason})",
            where=where,
            cure="look at the network, or get the corpus by hand and set LAYERWISE_DATA to the "
            "folder that holds it",
        ) from error


class _HttpsAlone(urllib.request.HTTPRedirectHandler):
    """Follows no address to anything less safe than https."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The next request. Raises ValueError unless it is over https."""
        _check_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_https(url: str) -> None:
    if not url.lower().startswith("https://"):
        raise ValueError(f"{url} is not https")


def _over_https(url: str) -> Any:
    _check_https(url)
    return urllib.request.build_opener(_HttpsAlone).open(url, timeout=_SECONDS)
