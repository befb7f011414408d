"""The generated treebank as files in the cache, so that it is read like any other."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..core.errors import LayerwiseError
from ..core.files import cache_folder, lock, read_json, safe_name, sha256_of, write_json, write_text
from ..core.types import SPLITS

SEED = 1


def builtin_files() -> tuple[dict[str, Path], str]:
    """The treebank's file for each split, generated where needed, and the grammar's version.

    The folder is named by version and by the sha256 of the grammar's source, so that a changed
    grammar is never served from an old cache. A missing or damaged file is generated again.
    """
    # The grammar is only needed for this one corpus.
    from .grammar.treebank import GRAMMAR_VERSION, generate

    version = str(GRAMMAR_VERSION)
    name = safe_name(f"{version}-{_source_hash()[:12]}")
    folder = cache_folder() / "builtin" / name
    files = {split: folder / f"builtin-{split}.conllu" for split in SPLITS}
    manifest = folder / "manifest.json"
    if not _is_sound(manifest, files):
        with lock(manifest):
            if not _is_sound(manifest, files):
                texts = generate(SEED)
                for split, path in files.items():
                    write_text(path, texts[split])
                write_json(manifest, {path.name: sha256_of(path) for path in files.values()})
    return files, version


def _is_sound(manifest: Path, files: dict[str, Path]) -> bool:
    try:
        sums = read_json(manifest)
        return bool(sums == {path.name: sha256_of(path) for path in files.values()})
    except LayerwiseError:
        return False


def _source_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted((Path(__file__).parent / "grammar").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
