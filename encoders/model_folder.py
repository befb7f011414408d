"""A folder in Hugging Face's format, loaded without executing anything that it holds.

What a model's files can do to the process that reads them is known from CVE-2025-32434 (pickled
weights), CVE-2026-4372 and CVE-2026-5241 (keys of config.json that fetch and run code). So the
JSON files are read here first and refused by key, weights are safetensors only, code from a model
is never allowed, and nothing is fetched unless the user allows it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ..core.errors import ModelError
from .checkpoint import CARD, load_tensors
from .smaller_maps import cut_to

# CVE-2026-5241 was fixed in this version.
TRANSFORMERS_FLOOR = (5, 5)
ALLOW_DOWNLOAD = "LAYERWISE_ALLOW_DOWNLOAD"
SMALLER = "smaller_than_configured"
"""What a card calls the weights that a model without some heads has cut (``smaller_maps``)."""

_FORBIDDEN = re.compile(r"auto_map|trust_remote_code|custom_pipelines|.*_internal")
# A kernel's name with a slash is a repository with code.
_KERNEL = re.compile(r"_?(attn|experts)_implementation")
_PLAIN_KERNELS = (None, "eager", "sdpa", "flash_attention_2", "flex_attention")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
# What is fetched from the hub: no code, no pickles.
_WANTED = ("*.json", "*.safetensors", "*.model", "vocab.txt", "merges.txt")


@dataclass(frozen=True)
class LoadedModel:
    """The encoder half of a model with its tokenizer, in eval mode, float32, on the CPU.

    ``whole`` is the class and ``config`` the configuration from which the same architecture can
    be drawn anew.
    """

    model: Any
    tokenizer: Any
    config: Any
    whole: Any


def find_folder(argument: str, where: str) -> Path:
    """The folder of ``hf:ARGUMENT``: a local one, or a hub model's in the local cache.

    A local folder is what starts with ``.``, ``/`` or ``~`` or exists. Anything else is
    ``NAME``, ``ORG/NAME`` or ``ORG/NAME@REVISION`` on the hub, which is asked only when the
    environment variable LAYERWISE_ALLOW_DOWNLOAD is 1.
    """
    local = Path(argument).expanduser()
    if argument.startswith((".", "/", "~")) or local.is_dir():
        if not local.is_dir():
            raise ModelError("no such folder", where=where, cure="name a folder with a config.json")
        return local
    _check_transformers()
    name, _, revision = argument.partition("@")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ModelError(
            "neither a folder nor a name on the hub",
            where=where,
            cure="write hf:ORG/NAME or hf:./FOLDER",
        )
    from huggingface_hub import snapshot_download

    allowed = os.environ.get(ALLOW_DOWNLOAD) == "1"
    try:
        folder = snapshot_download(
            name,
            revision=revision or None,
            local_files_only=not allowed,
            allow_patterns=list(_WANTED),
        )
    except Exception as error:
        if allowed:
            what = f"cannot be downloaded ({_line(error)})"
            cure = "look at the name, the revision and the network"
        else:
            what = "not in the local cache of Hugging Face models"
            cure = (
                f"--allow-download (or {ALLOW_DOWNLOAD}=1) fetches it; hf:./FOLDER names a folder"
            )
        raise ModelError(what, where=where, cure=cure) from error
    return Path(folder)


def load_folder(folder: Path, where: str) -> LoadedModel:
    """Load model and tokenizer. Raises ModelError for whatever is hostile, absent or broken."""
    _check_transformers()
    _check_files(folder, where)
    import transformers

    smaller = _is_smaller(folder)
    with quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            full, info = transformers.AutoModel.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=smaller,
            )
        except Exception as error:
            raise ModelError(
                f"cannot be loaded ({type(error).__name__}: {_line(error)})",
                where=where,
                cure="look at the folder's files; a fresh copy may help",
            ) from error
    if smaller:
        _fill_smaller(full, folder, info, where)
    model = encoder_half(full)
    _check_weights(full, model, info, where)
    return LoadedModel(model, tokenizer, full.config, type(full))


def draw_anew(loaded: LoadedModel, seed: int) -> Any:
    """The same architecture with weights as its authors' code initialises them before training.

    The global random state of torch is as before afterwards.
    """
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = encoder_half(loaded.whole(loaded.config).to(torch.float32))
    cut_to(fresh, {name: tensor.shape for name, tensor in loaded.model.named_parameters()})
    return fresh


def encoder_half(full: Any) -> Any:
    """The part that encodes, in eval mode and without gradients."""
    model = full.get_encoder() if getattr(full.config, "is_encoder_decoder", False) else full
    # Decoders would otherwise build a cache of keys and values for each batch.
    model.config.use_cache = False
    return model.eval().requires_grad_(False)


def weights_of(model: Any) -> dict[str, torch.Tensor]:
    """The tensors that decide hidden states: all but the pooler, which comes after them."""
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not name.startswith("pooler.")
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bars and loading reports; what matters is checked here."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _check_transformers() -> None:
    have = version("transformers")
    numbers = tuple(int(n) for n in re.findall(r"\d+", have)[:2])
    if numbers < TRANSFORMERS_FLOOR:
        floor = ".".join(map(str, TRANSFORMERS_FLOOR))
        raise ModelError(
            f"transformers {have} can be made to run a model's code (CVE-2026-4372, CVE-2026-5241)",
            where="transformers",
            cure=f'pip install "transformers>={floor}"',
        )


def _check_files(folder: Path, where: str) -> None:
    """Refuse a folder by its files, before any other code reads them."""
    if not (folder / "config.json").is_file():
        raise ModelError("no config.json in the folder", where=where, cure="name a model's folder")
    for path in sorted(folder.glob("*.json")):
        if path.name.endswith("config.json") or path.name.endswith(".index.json"):
            _check_keys(_read(path), f"{where}: {path.name}")
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            "an adapter (adapter_config.json) names another model to fetch",
            where=where,
            cure="merge the adapter into its base model and save that",
        )
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        pickles = sorted({path.name for glob in _PICKLES for path in folder.glob(glob)})
        raise ModelError(
            f"its weights are in {pickles[0]}, which can run code when it is read"
            if pickles
            else "no weights (model.safetensors) in the folder",
            where=where,
            cure="take a revision with model.safetensors, or convert it where you trust its source",
        )
    for path in sorted(folder.glob("*.safetensors.index.json")):
        index = _read(path)
        shards = index.get("weight_map") if isinstance(index, dict) else None
        for shard in shards.values() if isinstance(shards, dict) else [None]:
            if not isinstance(shard, str) or Path(shard).name != shard:
                raise ModelError(
                    f"the shard {shard!r} is not a plain file name", where=f"{where}: {path.name}"
                )


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"cannot be read as JSON ({_line(error)})", where=str(path)) from error


def _check_keys(value: Any, where: str) -> None:
    """Refuse keys that make a reader run or fetch code, however deep they lie."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                if _FORBIDDEN.fullmatch(key) or (
                    _KERNEL.fullmatch(key) and inner not in _PLAIN_KERNELS
                ):
                    raise ModelError(
                        f"the key {key!r} can make its reader run code from elsewhere",
                        where=where,
                        cure="remove the key if you trust the rest",
                    )
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _is_smaller(folder: Path) -> bool:
    """Whether ``probe prune`` made the folder's maps smaller than its configuration says."""
    if not (folder / CARD).is_file():
        return False
    card = _read(folder / CARD)
    return isinstance(card, dict) and bool(card.get(SMALLER))


def _fill_smaller(full: Any, folder: Path, info: Any, where: str) -> None:
    """Cut the maps whose saved weights are smaller, and give them these."""
    shapes = {name: tuple(saved) for name, saved, _ in info["mismatched_keys"]}
    cut_to(full, shapes, where)
    held = dict(full.named_parameters())
    if odd := sorted(shapes.keys() - held.keys()):
        raise ModelError(f"the weight {odd[0]!r} has another shape", where=where)
    for path in sorted(folder.glob("*.safetensors")):
        tensors, _ = load_tensors(path)
        with torch.no_grad():
            for name in shapes.keys() & tensors.keys():
                held[name].copy_(tensors[name])


def _check_weights(full: Any, model: Any, info: Any, where: str) -> None:
    """Refuse weights that were not in the files (transformers draws them) or are not finite."""
    used = {
        id(tensor) for name, tensor in model.named_parameters() if not name.startswith("pooler.")
    }
    known = dict(full.named_parameters())
    absent = sorted(
        name for name in info["missing_keys"] if name in known and id(known[name]) in used
    )
    if absent:
        raise ModelError(
            f"{len(absent)} weights are not in its files, the first is {absent[0]!r}",
            where=where,
            cure="a fresh copy may help; for random weights append +random to a whole model",
        )
    for name, tensor in weights_of(model).items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"the weight {name!r} is not finite", where=where)


def _line(error: Exception) -> str:
    """The first line of an error's text, at most 200 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
