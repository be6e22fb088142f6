"""A data set described, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mien.cli._text import printable

if TYPE_CHECKING:
    from mien.datasets.describe import Description, Distribution
    from mien.datasets.overview import DataDescription


def show_description(found: DataDescription) -> None:
    """Print the numbers of every split, then what deserves a look."""
    for number, description in enumerate(found.splits.values()):
        typer.echo("\n" * bool(number), nl=False)
        _show(description)
    if notes := found.notes():
        typer.echo("\nworth a look:")
        for note in notes:
            typer.echo(printable(f"  {note}"))


def _show(d: Description) -> None:
    people = "" if d.people is None else f" of {d.people} persons"
    typer.echo(f"{printable(d.source)}: {d.faces} faces{people}, {d.width}×{d.height} pixels")
    if d.sizes is not None and len(d.sizes) > 1:
        listed = ", ".join(f"{w}×{h} ({n})" for (w, h), n in list(d.sizes.items())[:5])
        more = f" and {len(d.sizes) - 5} more" if len(d.sizes) > 5 else ""
        typer.echo(f"resized from {listed}{more}")
    width = max(12, *(len(label) + 2 for label in d.counts))
    typer.echo(
        f"{'label':<{width}}{'faces':>8}{'share':>8}{'brightness':>12}" + "  agreement" * bool(d.votes)
    )
    for label, count in d.counts.items():
        light = f"{d.brightness_by_label[label].mean:.0f}" if count else "-"
        agreement = d.votes.by_label[label] if d.votes else None
        last = "" if agreement is None else f"{agreement:>11.1%}"
        typer.echo(f"{printable(label):<{width}}{count:>8}{count / d.faces:>8.1%}{light:>12}{last}")
    if d.imbalance is not None:
        typer.echo(f"the most frequent label has {d.imbalance:.1f} times the faces of the rarest")
    typer.echo(f"brightness {_spread(d.brightness)}")
    typer.echo(f"contrast {_spread(d.contrast)}")
    if d.votes is not None:
        typer.echo(
            f"{d.votes.faces} faces have {d.votes.votes:.1f} votes each; the favourite gets "
            f"{d.votes.top_share:.1%} of them and is the label of {d.votes.agreement:.1%}"
        )


def _spread(s: Distribution) -> str:
    spread = f"nine tenths from {s.low:.0f} to {s.high:.0f}, half below {s.median:.0f}"
    return f"{s.mean:.0f} ± {s.std:.0f} of 255; {spread}"
