"""The commands from Python: ``layerwise.evaluate`` and the functions behind the other commands.

=====================  ==================================================================
``probe run``          ``layerwise.evaluate(encoder=..., task=...)``
``probe show``         ``layerwise.load_results(RUN)``; as text ``results.table.build``
``probe table``        ``layerwise.load_results(RUN).table(rows, columns, metric)``
``probe compare``      ``suite.compare.compare``
``probe plot``         ``results.layer_curves`` and its neighbours, one module a picture
``probe fit``          ``layerwise.LinearProbe().fit(x, y)``, as in scikit-learn
``probe mix``          ``suite.mixing.evaluate(suite.config.build({...}))``
``probe contextuality``  ``suite.contextuality.evaluate(suite.config.build({...}))``
``probe similarity``   ``suite.similarity.layer_similarities``
``probe time``         ``suite.timing.evaluate(suite.timing.TimeConfig(...))``
``probe pretrain``     ``encoders.pretrain.pretrain``
``probe search``       ``suite.search.evaluate(suite.search.SearchConfig(...))``
``probe nas-probe``    ``suite.nas_probe.evaluate(nas_probe_bench.NasProbeSettings(...), FOLDER)``
``probe loss-curve``   ``results.loss_curve.draw(results.loss_curve.read_curve(...))``
``probe list``         ``core.registry.names``, ``tasks.corpora.list_corpora``
``probe data``         ``layerwise.load_corpus(NAME)``; ``tasks.audit.audit``, ``tasks.check``
``probe check``        ``encoders.conformance.check_encoder(layerwise.load_encoder(NAME))``
=====================  ==================================================================

Modules are those of the package ``layerwise``.
"""

from __future__ import annotations

import inspect
import os
import warnings
from typing import Any

from ..encoders import loading
from ..encoders.base import Encoder, EncoderOptions
from ..results.collection import Results
from . import pipeline
from .config import RunConfig, build


def evaluate(**settings: Any) -> Results:
    """Probe encoders on tasks, layer by layer, as ``probe run`` does, and return the records.

    The keyword arguments are the fields of ``suite.config.RunConfig``; ``encoder`` and ``task``
    are names, one or a sequence. What is recorded in the folder ``output`` already is not
    computed again. A unit that failed is a record that says so. An encoder that could not run is
    warned of and stands in ``problems``; where nothing could run, its error is raised. Raises
    UsageError for an unknown keyword, name or value, DataError for data that cannot be read.
    """
    outcome = pipeline.evaluate(build({n: _plain(n, value) for n, value in settings.items()}))
    errors = list(outcome.errors.values())
    if errors and not outcome.records:
        raise errors[0]
    for error in errors:
        warnings.warn(str(error), stacklevel=2)
    return Results(tuple(outcome.records), (*outcome.problems, *map(str, errors)))


def load_encoder(name: str, **options: Any) -> Encoder:
    """The encoder of that name, with options of ``encoders.base.EncoderOptions``.

    Its ``encode`` takes documents and gives, for each, an array (layers, words, dim). Raises
    UsageError for an unknown name and ModelError for an encoder that cannot be had.
    """
    return loading.load_encoder(name, EncoderOptions(**options))


def _plain(name: str, value: Any) -> Any:
    """The value as the command line would give it."""
    if name in ("encoder", "task") and isinstance(value, str):
        return (value,)
    return os.fspath(value) if isinstance(value, os.PathLike) else value


# So that ``help`` and editors tell the keywords.
evaluate.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=field.annotation,
            default=inspect.Parameter.empty if field.is_required() else field.default,
        )
        for name, field in RunConfig.model_fields.items()
    ],
    return_annotation=Results,
)
