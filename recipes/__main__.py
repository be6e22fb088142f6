"""Pack the faces, run a plan within a time, see how far it is, take the results along.

    python -m recipes pack ../shared/fer2013/train --votes ../shared/fer2013/ferplus.csv \\
        --test ../shared/fer2013/test --file packed/fer2013.zip
    python -m recipes run recipes/gpu.toml --packed packed/fer2013.zip --output runs/gpu --minutes 9
    python -m recipes show recipes/gpu.toml --output runs/gpu
    python -m recipes bundle --output runs/gpu --to results
    python -m recipes unbundle results --output runs/gpu
"""

from __future__ import annotations

import argparse
import lzma
import os
import sys
import zipfile
from pathlib import Path

from mien.core.errors import MienError, OptionError
from recipes import bundle as bundles
from recipes.pack import pack, unpack
from recipes.plan import PLAIN, Plan, read_plan
from recipes.runner import Place, accuracies, best_accuracy, gains, is_done, run_plan

_PART, _MOST = 15 << 20, 60 << 20


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; 0 where nothing is left to do, 1 where something is, 2 for wrong usage."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.do(given))
    except MienError as error:
        print(f"recipes: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recipes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)

    packing = commands.add_parser("pack", help="write the faces to train on as one small file")
    packing.add_argument("data", type=Path)
    packing.add_argument("--votes", type=Path)
    packing.add_argument("--test", type=Path, help="faces that stand here too are left out")
    packing.add_argument("--file", type=Path, required=True)
    packing.add_argument(
        "--validation",
        type=float,
        default=0.08,
        help="part kept apart to choose on; default 0.08",
    )
    packing.set_defaults(do=_pack)

    unpacking = commands.add_parser("unpack", help="write a packed file as a folder of faces, and votes.csv")
    unpacking.add_argument("file", type=Path)
    unpacking.add_argument("folder", type=Path)
    unpacking.set_defaults(do=_unpack)

    running = commands.add_parser("run", help="do what is not done yet of a plan")
    running.add_argument("plan", type=Path)
    where = running.add_mutually_exclusive_group(required=True)
    where.add_argument("--packed", type=Path, help="a file of pack")
    where.add_argument("--data", type=Path, help="a folder of faces")
    running.add_argument("--votes", type=Path, help="with --data")
    running.add_argument("--test", type=Path, help="with --data: left out of training, and reported")
    running.add_argument("--output", type=Path, required=True)
    running.add_argument("--at-once", type=int, default=1, help="runs side by side")
    running.add_argument("--threads", type=int, default=max(1, os.cpu_count() or 1), help="of each run")
    running.add_argument(
        "--minutes", type=float, default=1e6, help="after which all stop; the same call goes on"
    )
    running.add_argument("--shorten", type=float, default=1.0, help="what all epochs are multiplied by")
    running.set_defaults(do=_run)

    showing = commands.add_parser("show", help="say what is done, and what the screening found")
    showing.add_argument("plan", type=Path)
    showing.add_argument("--output", type=Path, required=True)
    showing.set_defaults(do=lambda given: _show(read_plan(given.plan), given.output))

    bundling = commands.add_parser("bundle", help="write weights and logs as a few files")
    bundling.add_argument("--output", type=Path, required=True, help="folder of the runs")
    bundling.add_argument("--to", type=Path, required=True)
    bundling.add_argument("--first", nargs="*", default=[], help="runs whose weights go first")
    bundling.set_defaults(do=_bundle)

    back = commands.add_parser("unbundle", help="put them back as runs")
    back.add_argument("parts", type=Path)
    back.add_argument("--output", type=Path, required=True)
    back.set_defaults(do=_unbundle)
    return parser


def _pack(given: argparse.Namespace) -> int:
    from mien.datasets import drop_shared, load_dataset, load_training

    data = load_training(given.data)
    if given.test is not None:
        data = drop_shared(data, load_dataset(given.test, default="test"))
    size = pack(data, given.votes, given.file, given.validation)
    print(f"{len(data)} faces, {size / 1e6:.1f} MB: {given.file}")
    return 0


def _unpack(given: argparse.Namespace) -> int:
    faces, votes = _unpacked(given.file, given.folder)
    print(f"{faces}" if votes is None else f"{faces} and {votes}")
    return 0


def _unpacked(file: Path, folder: Path) -> tuple[Path, Path | None]:
    try:
        return unpack(file, folder)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, lzma.LZMAError) as error:
        raise OptionError(f"{str(file)!r} is no file of pack, or cannot be unpacked: {error}") from error


def _run(given: argparse.Namespace) -> int:
    if given.at_once < 1 or given.threads < 1 or given.minutes <= 0 or given.shorten <= 0:
        raise OptionError("--at-once, --threads, --minutes and --shorten have to be above 0")
    plan = read_plan(given.plan, given.shorten)
    data, votes = given.data, given.votes
    if given.packed is not None:
        data, votes = _unpacked(given.packed, given.output / ".faces")
    place = Place(data, votes, given.test, given.output)
    left = run_plan(plan, place, at_once=given.at_once, threads=given.threads, minutes=given.minutes)
    _show(plan, given.output)
    if left:
        print(f"{len(left)} of {len(plan.jobs)} are left; the same command goes on")
    return int(bool(left))


def _show(plan: Plan, output: Path) -> int:
    found = accuracies(plan, output)
    for lever, (gain, error) in sorted(gains(found).items(), key=lambda row: -row[1][0]):
        print(f"{lever:<24}{gain * 100:+.2f} points, error {error * 100:.2f}, seeds {len(found[lever])}")
    if plain := found.get(PLAIN):
        print(f"{PLAIN:<24}{sum(plain.values()) / len(plain):.2%} on validation")
    left = 0
    for job in plan.jobs:
        log = output / job.name / "log.csv"
        done, left = is_done(job, output), left + (not is_done(job, output))
        if job.screens is None:
            best = f"  best validation accuracy {best_accuracy(log.parent):.2%}" if log.exists() else ""
            print(f"{job.name:<24}{'done' if done else 'left'}{best}")
    return int(bool(left))


def _bundle(given: argparse.Namespace) -> int:
    parts = bundles.bundle(given.output, given.to, part=_PART, most=_MOST, first=given.first)
    print(f"{len(parts)} files in {given.to}")
    return 0


def _unbundle(given: argparse.Namespace) -> int:
    names = bundles.unbundle(given.parts, given.output)
    print(f"{len(names)} files in {given.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
