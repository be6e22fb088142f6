"""`mien live`: faces from a camera, or from a film in its place, as they come."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _exits
from mien.cli._interrupt import Interrupt
from mien.cli._options import with_options
from mien.cli._text import complain, printable
from mien.cli._window import live_window
from mien.core.emotions import LANGUAGES, display_name
from mien.core.errors import CameraError, MienError, OptionError
from mien.core.files import check_folder, shown
from mien.core.gallery_options import GalleryOptions
from mien.core.live_presets import DEFAULT_PRESET, PRESETS, live_options
from mien.core.options import AnalysisOptions
from mien.core.video_options import VideoOptions

if TYPE_CHECKING:
    from mien.core.results import Face
    from mien.live import Feed, LiveFrame, LiveSession, Notice

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

_POLL_S = 0.2  # how soon Ctrl-C is heeded while no frame comes
_PRESETS = "\n\n".join(f"  {name}: {preset.summary}" for name, preset in PRESETS.items())

_HELP = f"""
Read faces live, from a camera or from a film in its place.

[bold]Examples[/bold]

  mien live

  mien live --no-window --seconds 10

  mien live --source interview.mp4 --no-window --json | jq .faces

  mien live --source rtsp://user:password@camera/stream --record session.mp4

  mien live --save-faces faces/ --min-confidence 0.7

The window shows the picture, boxes, labels and the score of every emotion. Its keys: q quits, s saves the \
face, c clears the saved faces (asks first), p pauses. With --no-window a line is printed each second: time, \
frames a second, milliseconds from a frame to its labels, and the emotion of every face by its number.

Whatever the machine can do, the newest frame is read; frames that come meanwhile are left out, so what is \
shown is never old.

[bold]Presets[/bold] set the options below; whatever you give yourself comes first.

{_PRESETS}

[bold]Saved faces[/bold] are personal data: ask the people first. They stay in the folder on this machine, \
for --max-days days (30 without it), and 'mien gallery clear --gallery DIR' deletes them all.

{_exits.HELP}
"""


@app.command("live", help=_HELP)
@with_options(
    AnalysisOptions,
    "picture",
    "What is found and read (in place of the preset's)",
    given=True,
    defaults=PRESETS[DEFAULT_PRESET].options,
)
@with_options(
    VideoOptions,
    "film",
    "Which frames, and faces through time (in place of the preset's)",
    given=True,
    defaults=PRESETS[DEFAULT_PRESET].options,
)
@with_options(GalleryOptions, "saving", "Saved faces")
def live(
    picture: dict[str, Any],
    film: dict[str, Any],
    saving: GalleryOptions,
    source: Annotated[
        str,
        typer.Option(
            metavar="NUMBER|ADDRESS|FILE|DIR",
            help="Camera by number, rtsp:// address of a network camera, or a film or folder of frames, "
            "played in real time in a camera's place.",
        ),
    ] = "0",
    preset: Annotated[
        str,
        typer.Option(
            metavar="|".join(PRESETS),
            help="Speed against care; see above.",
            autocompletion=lambda: list(PRESETS),
        ),
    ] = DEFAULT_PRESET,
    no_window: Annotated[
        bool, typer.Option("--no-window", help="Print a line each second in place of the window.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="With --no-window: each line is JSON, with everything known."),
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="Stop after so many seconds; without it with Ctrl-C.", show_default=False),
    ] = None,
    save_faces: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Save each person's face by itself, once a second, into the folder of its emotion in DIR.",
        ),
    ] = None,
    keep_crops: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep what the network saw of one frame a second: image0.png, image1.png, … in DIR.",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record what is seen, with boxes and labels: .mp4, .mov or .mkv."),
    ] = None,
    language: Annotated[
        str,
        typer.Option(
            metavar="|".join(LANGUAGES),
            help="Language of labels, but not of JSON.",
            autocompletion=lambda: list(LANGUAGES),
        ),
    ] = "en",
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Classifier, as in mien analyze.", show_default=False),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the classifier; all processors but one without it.")
    ] = None,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where the classifier runs.")] = "auto",
) -> None:
    """Check what can be checked, open the session, show it."""
    display_name(None, language)
    options = picture | film
    live_options(preset, options)
    if as_json and not no_window:
        raise OptionError("--json is for --no-window; give both")
    for folder in (save_faces, keep_crops, None if record is None else record.parent):
        if folder is not None:
            check_folder(folder)
    window = None if no_window else live_window()

    from mien.gallery import Gallery
    from mien.live import open_session

    gallery = Gallery(save_faces, saving)  # the user's own without a folder, for the window's key s
    try:
        session = open_session(
            source, preset=preset, model=model, threads=threads, device=device, gallery=gallery, **options
        )
    except CameraError as error:
        raise CameraError(f"{error}, or give --source FILE to play a film in its place") from error
    try:
        _keep(session, save_faces, keep_crops, record, language)
        if window is not None:
            session.subscribe(lambda shot: None, on_notice=_complain_of_loss)
            window(session, language=language)
            raise typer.Exit(_exits.SOME_FAILED if session.lost else _exits.DONE)
        else:
            code = _print_lines(session, seconds, language, as_json=as_json)
            raise typer.Exit(code)
    finally:
        session.stop()


def _keep(
    session: LiveSession, save_faces: Path | None, keep_crops: Path | None, film: Path | None, language: str
) -> None:
    from mien.live.keepers import AutoSave, KeepCrops, record
    from mien.render import Annotator

    if save_faces is not None:
        days = session.gallery.options.max_days
        how_long = f"for {days:g} days at most" if days else "until you delete them"
        complain(f"faces are saved to {shown(save_faces)}, {how_long}; make sure that the people agree")
        session.keep(AutoSave(session, session.gallery))
    if keep_crops is not None:
        session.keep(KeepCrops(keep_crops, session.tell))
    if film is not None:
        record(session, film, annotator=Annotator(language))


def _print_lines(session: LiveSession, seconds: float | None, language: str, *, as_json: bool) -> int:
    def tell(notice: Notice) -> None:
        if notice.is_problem or not notice.text.startswith("saved "):
            complain(notice.text)

    feed = session.feed()
    session.subscribe(lambda shot: None, on_notice=tell)
    with Interrupt() as interrupt, closing(feed):
        session.start()
        for shot in _each_second(feed, interrupt, seconds):
            print(_line(shot, language, as_json=as_json), flush=True)
        session.stop()
        stats = session.stats
        complain(
            f"{stats.analysed} frames read, {stats.dropped} left out, {1000 * stats.latency_s:.0f} ms from a "
            "frame to its labels"
        )
        if session.error is not None and isinstance(session.error, MienError):
            raise session.error
        if interrupt.number is not None:
            return 128 + interrupt.number
        if not stats.analysed:
            return _exits.NOTHING_DONE
        return _exits.SOME_FAILED if session.lost else _exits.DONE


def _complain_of_loss(notice: Notice) -> None:
    """Say on the terminal too, which stays when the window is closed, what was not written."""
    if notice.is_loss:
        complain(notice.text)


def _each_second(feed: Feed, interrupt: Interrupt, seconds: float | None) -> Iterator[LiveFrame]:
    """Yield the first frame of every second, and the last one of all."""
    due, waiting = -math.inf, None
    while not interrupt.happened():
        shot = _take(feed)
        if shot is None and feed.ended:
            break
        if shot is None:
            continue
        if seconds is not None and shot.frame.time_s >= seconds:
            break
        waiting = shot
        if shot.frame.time_s >= due:
            yield shot
            due, waiting = math.floor(shot.frame.time_s) + 1.0, None
    if waiting is not None:
        yield waiting


def _take(feed: Feed) -> LiveFrame | None:
    try:
        return feed.take(_POLL_S)
    except MienError:
        return None  # raised when all is closed and counted


def _line(shot: LiveFrame, language: str, *, as_json: bool) -> str:
    stats, faces = shot.stats, shot.analysis.faces
    if as_json:
        record = {
            "frame": shot.frame.index,
            "time_s": round(shot.frame.time_s, 3),
            "frames_per_s": round(stats.frames_per_s, 2),
            "latency_ms": round(1000 * stats.latency_s, 2),
            "dropped": stats.dropped,
            "faces": [face.to_dict() for face in faces],
        }
        return json.dumps(record)
    cells = [
        f"{shot.frame.time_s:7.1f} s",
        f"{stats.frames_per_s:5.1f} frames/s",
        f"{1000 * stats.latency_s:4.0f} ms",
        *([_face(face, language) for face in faces] or ["no face"]),
    ]
    return "   ".join(cells)


def _face(face: Face, language: str) -> str:
    if face.emotion is None:
        return printable(
            f"#{face.track_id} {display_name(None, language)} ({display_name(face.top, language)}?)"
        )
    return printable(f"#{face.track_id} {display_name(face.emotion, language)} {face.confidence:.0%}")
