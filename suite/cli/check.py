"""``probe check``: prove that a plugin keeps the contract."""

from __future__ import annotations

import click

from ...results.escaping import visible


@click.group(name="check")
def command() -> None:
    """Check an encoder against its contract."""


@command.command()
@click.argument("name")
@click.option("--device", default="cpu", show_default=True)
def encoder(name: str, device: str) -> int:
    """Run the contract's tests on the encoder NAME, as --encoder takes it."""
    from ...encoders.base import EncoderOptions
    from ...encoders.conformance import check_encoder
    from ...encoders.loading import load_encoder

    clauses = check_encoder(load_encoder(name, EncoderOptions(device=device)))
    for clause in clauses:
        detail = visible(clause.detail)
        click.echo(f"{'ok  ' if clause.passed else 'FAIL'}  {clause.name}: {detail}")
    broken = sum(not clause.passed for clause in clauses)
    click.echo(
        f"{name}: {broken} of {len(clauses)} clauses broken"
        if broken
        else f"{name}: keeps the contract"
    )
    return 1 if broken else 0
