"""From a name on the command line to an encoder: ``NAME[:ARGUMENT][+random[SEED]]``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core import registry
from ..core.errors import LayerwiseError, ModelError, UsageError
from .base import Encoder, EncoderOptions, Randomisable
from .device import usable

_RANDOM = re.compile(r"(?P<trained>.+)\+random(?P<seed>\d{0,9})")


def load_encoder(name: str, options: EncoderOptions) -> Encoder:
    """The encoder of that name, checked against the static side of the contract.

    ``+random`` (seed 0) or ``+random7`` gives the same architecture with random weights. Where a
    folder's own name ends so, the folder is meant: ``hf:./model+random``. Its ``.name`` is the
    name asked for. Raises UsageError for a name that does not exist or a device that cannot be
    used, and ModelError for an encoder that cannot be had or breaks the contract.
    """
    plain, seed = split_random(name)
    head, argument = registry.split_name(plain)
    factory = registry.load("encoder", head)
    if options.device != "cpu":
        usable(options.device)
    try:
        encoder = factory(argument, options)
        if seed is not None:
            if not isinstance(encoder, Randomisable):
                raise ModelError(
                    "cannot be had with random weights",
                    where=f"encoder {plain}",
                    cure="leave +random away",
                )
            encoder = encoder.randomised(seed)
    except LayerwiseError:
        raise
    except Exception as error:
        raise ModelError(
            f"fails to load ({type(error).__name__}: {error})",
            where=f"encoder {name}",
            cure=f"repair or remove the package {registry.owner('encoder', head)}",
        ) from error
    faults = contract_faults(encoder)
    if faults:
        raise ModelError(f"breaks the encoder contract: {faults[0]}", where=f"encoder {name}")
    try:
        encoder.name = name
    except AttributeError as error:
        raise ModelError(
            "breaks the encoder contract: `name` must be settable", where=f"encoder {name}"
        ) from error
    checked: Encoder = encoder
    return checked


def split_random(name: str) -> tuple[str, int | None]:
    """``lstm+random7`` -> (``lstm``, 7), ``lstm+random`` -> (``lstm``, 0), ``lstm`` -> (.., None).

    A folder whose own name ends in ``+random`` is that folder. Raises UsageError where a folder
    exists both with the suffix and without it.
    """
    match = _RANDOM.fullmatch(name)
    if match is None:
        return name, None
    head, whole = registry.split_name(name)
    trained = registry.split_name(match["trained"])[1]
    if whole and Path(whole).expanduser().exists():
        if trained and Path(trained).expanduser().exists():
            drawn = f"{head}:{trained}/+random{match['seed']}"
            raise UsageError(
                f"both {trained!r} and {whole!r} exist",
                where=f"--encoder {name}",
                cure=f"write {head}:{whole}/ for the folder, {drawn} for random weights",
            )
        return name, None
    return match["trained"], int(match["seed"] or 0)


def contract_faults(encoder: Any) -> list[str]:
    """What is wrong with an encoder's attributes, one line per clause; empty if nothing is."""
    faults = []
    absent = object()

    def clause(attribute: str, wanted: str, holds: Any) -> None:
        value = getattr(encoder, attribute, absent)
        if value is absent:
            faults.append(f"`{attribute}` is missing; it must be {wanted}")
        elif not holds(value):
            faults.append(f"`{attribute}` must be {wanted}, not {value!r:.80}")

    def count(least: int) -> Any:
        return lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= least

    clause("name", "a text", lambda v: isinstance(v, str) and bool(v))
    clause(
        "layer_names",
        "a sequence of at least one text",
        lambda v: (
            isinstance(v, Sequence)
            and not isinstance(v, str)
            and len(v) > 0
            and all(isinstance(n, str) for n in v)
        ),
    )
    clause("dim", "a whole number of at least 1", count(1))
    clause("parameters", "a whole number of at least 0", count(0))
    clause(
        "fingerprint",
        "a sha256 in 64 hexadecimal digits (see `fingerprint_of`)",
        lambda v: isinstance(v, str) and re.fullmatch(r"[0-9a-f]{64}", v) is not None,
    )
    clause("final_norm", "True or False", lambda v: isinstance(v, bool))
    clause("encode", "a method that takes documents", callable)
    return faults
