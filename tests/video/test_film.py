from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from film_support import HEIGHT, WIDTH, make_film, number_of, numbered, picture

from mien.core.errors import OptionError, VideoFormatError, VideoLimitError
from mien.core.video_options import VideoOptions
from mien.video.film import Film

FORMS = [
    ("film.mp4", "libx264"),
    ("film.mov", "libx265"),
    ("film.mkv", "libsvtav1"),
    ("film.mkv", "libx264"),
    ("film.webm", "libvpx"),
    ("film.webm", "libvpx-vp9"),
    ("film.avi", "mpeg4"),
    ("film.avi", "mjpeg"),
    ("film.gif", "gif"),
]


def read(path: Path, **options) -> list[tuple[int, float, int]]:
    """Return index, time and the number that stands in the picture, of every frame."""
    film = Film(path, VideoOptions(**options))
    try:
        return [(frame.index, round(frame.time_s, 3), number_of(frame.pixels)) for frame in film]
    finally:
        film.close()


@pytest.mark.parametrize(("name", "codec"), FORMS)
def test_every_frame_of_every_format_comes_once_and_in_order(tmp_path: Path, name: str, codec: str) -> None:
    film = Film(make_film(tmp_path / name, numbered(30), codec=codec))
    frames = list(film)
    film.close()
    assert [frame.index for frame in frames] == list(range(30))
    assert [number_of(frame.pixels) for frame in frames] == list(range(30))
    assert np.allclose([frame.time_s for frame in frames], np.arange(30) / 25, atol=0.011)
    assert {frame.pixels.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    assert (film.info.width, film.info.height, film.damage) == (WIDTH, HEIGHT, ())


@pytest.mark.parametrize(("name", "codec"), FORMS)
@pytest.mark.parametrize("side", [40, 4000])
def test_grey_frames_show_what_the_coloured_ones_do(tmp_path: Path, name: str, codec: str, side: int) -> None:
    path = make_film(tmp_path / name, numbered(3), codec=codec)
    before, after = list(Film(path)), list(Film(path))
    for early, late in zip(before, after, strict=True):
        late_pixels = late.pixels  # colours first, then grey: the other way round
        grey = early.grey(side)
        assert grey.dtype == np.uint8
        assert grey.shape[1] == min(side, WIDTH)
        assert np.corrcoef(grey.ravel(), late.grey(side).ravel())[0, 1] > 0.98
        assert number_of(np.repeat(early.grey(WIDTH)[:, :, None], 3, 2)) == early.index
        assert np.array_equal(early.pixels, late_pixels)
        assert early.size == (WIDTH, HEIGHT)


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    film = Film(make_film(tmp_path / "film.mp4", [picture(0)] * 3))
    red, green, blue = next(iter(film)).pixels[-3, 3].astype(int)
    assert red > 150
    assert max(green, blue) < 80


def test_what_is_known_before_the_frames(tmp_path: Path) -> None:
    info = Film(make_film(tmp_path / "film.mp4", numbered(50), sound="aac")).info
    assert (info.rate, info.frames, info.codec, info.has_sound) == (25.0, 50, "h264", True)
    assert info.duration_s == pytest.approx(2.0)
    assert not Film(make_film(tmp_path / "mute.mp4", numbered(3))).info.has_sound


def test_timestamps_of_a_variable_rate_are_the_films_own(tmp_path: Path) -> None:
    times = [0, 40, 50, 500, 520, 2000, 2033]
    film = make_film(tmp_path / "film.mkv", numbered(7), times_ms=times)
    assert [time for _, time, _ in read(film)] == [time / 1000 for time in times]


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.avi"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.5, 0.9), (1.33, None), (1.9, 2.0)])
def test_a_stretch_is_the_same_as_read_from_the_start(
    tmp_path: Path, name: str, start: float, end: float | None
) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    film = make_film(tmp_path / name, numbered(60), codec=codec, options={"g": "12"})
    whole = read(film)
    assert len(whole) == 60
    wanted = [frame for frame in whole if frame[1] >= start and (end is None or frame[1] < end)]
    assert read(film, start=start, end=end) == wanted
    assert wanted


def test_a_start_after_the_end_of_the_film_gives_nothing(tmp_path: Path) -> None:
    assert read(make_film(tmp_path / "film.mp4", numbered(10)), start=30.0) == []


def test_every_and_rate_leave_frames_out_and_keep_their_numbers(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", numbered(50))
    assert [index for index, _, _ in read(film, every=7)] == list(range(0, 50, 7))
    assert [number for _, _, number in read(film, every=7)] == list(range(0, 50, 7))
    assert [time for _, time, _ in read(film, fps=5)] == pytest.approx(np.arange(10) / 5)
    assert len(read(film, fps=100)) == 50
    assert [index for index, _, _ in read(film, every=10, start=0.2)] == [5, 15, 25, 35, 45]


def test_a_long_stretch_without_frames_is_not_made_up_for(tmp_path: Path) -> None:
    times = [0, 100, 200, 5000, 5010, 5020, 5100]
    film = make_film(tmp_path / "film.mkv", numbered(7), times_ms=times)
    assert [time for _, time, _ in read(film, fps=10)] == [0.0, 0.1, 0.2, 5.0, 5.1]


@pytest.mark.parametrize(
    "options", [{"start": 2, "end": 1}, {"every": 0}, {"fps": 0}, {"fps": 5, "every": 2}, {"start": -1}]
)
def test_options_that_make_no_sense(options: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        VideoOptions(**options)


# Display matrices of ISO 14496-12, as phones write them, and how the stored picture is to be turned.
MATRICES = {
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}


@pytest.mark.parametrize("clockwise", [90, 180, 270])
def test_a_film_taken_with_the_phone_turned_is_upright(tmp_path: Path, clockwise: int) -> None:
    upright = picture(37)
    path = make_film(tmp_path / "film.mp4", [np.rot90(upright, clockwise // 90)] * 5)
    a, b, c, d = MATRICES[clockwise]
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    content[place : place + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    film = Film(path)
    frame = next(iter(film))
    assert number_of(np.repeat(frame.grey(WIDTH)[:, :, None], 3, 2)) == 37
    assert frame.pixels.shape == (HEIGHT, WIDTH, 3)
    assert (film.info.width, film.info.height) == (WIDTH, HEIGHT)
    assert number_of(frame.pixels) == 37
    assert frame.pixels[-4, 3, 0] > 150


def test_a_damaged_stretch_is_left_out_and_told(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mkv", numbered(60), codec="mjpeg")
    content = bytearray(path.read_bytes())
    starts = [at for at in range(len(content) - 2) if content[at : at + 3] == b"\xff\xd8\xff"]
    assert len(starts) == 60
    for number in (20, 21, 22):
        content[starts[number] : starts[number] + 600] = bytes(600)
    path.write_bytes(content)
    film = Film(path)
    frames = list(film)
    assert [number_of(frame.pixels) for frame in frames] == [n for n in range(60) if n not in (20, 21, 22)]
    assert [frame.index for frame in frames] == [n for n in range(60) if n not in (20, 21, 22)]
    (damage,) = film.damage
    assert damage.frames == 3
    assert (damage.start_s, damage.end_s) == pytest.approx((0.76, 0.92), abs=0.011)
    assert str(damage) == "3 frames lost between 0.76 s and 0.92 s"


@pytest.mark.parametrize("name", ["film.mkv", "film.avi"])
def test_what_is_there_of_a_film_cut_off_in_the_middle_is_read(tmp_path: Path, name: str) -> None:
    codec = "mjpeg" if name.endswith("avi") else "libx264"
    # Large and noisy enough that the file is not half header and index.
    noise = np.random.default_rng(0).integers(0, 40, (60, 240, 320, 3), np.uint8)
    frames = [
        pixels // 2 + pixels // 4 + grain for pixels, grain in zip(numbered(60, 320, 240), noise, strict=True)
    ]
    path = make_film(tmp_path / name, frames, codec=codec, options={"g": "12"})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    found = read(path)
    assert 15 <= len(found) <= 45
    assert [number for _, _, number in found] == list(range(len(found)))


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    return path


def grainy(count: int) -> list[np.ndarray]:
    """Frames large enough in a file that what is cut off is not the index."""
    grain = np.random.default_rng(0).integers(0, 256, (count, HEIGHT, WIDTH, 3), np.uint8)
    return list(grain)


@pytest.mark.parametrize("sound_s", [0.0, 1.0, 4.0, 9.0])
@pytest.mark.parametrize("tagged", [True, False], ids=["tagged", "untagged"])
@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "libx264"), (".webm", "libvpx"), (".mp4", "libx264")])
def test_an_end_that_is_missing_is_told(
    tmp_path: Path, suffix: str, codec: str, tagged: bool, sound_s: float
) -> None:
    sound = ("libopus" if suffix == ".webm" else "aac") if sound_s else None
    # Fragmented, as a phone's recording: its index is at the front.
    flags = {"movflags": "faststart"} if suffix == ".mp4" else None
    path = make_film(
        tmp_path / f"film{suffix}",
        grainy(100),
        codec=codec,
        sound=sound,
        sound_s=sound_s,
        options={"b": "2M"} if codec == "libvpx" else {},
        container_options=flags,
    )
    if not tagged:  # as of writers that note a track's length at the end of the file, or nowhere
        path.write_bytes(path.read_bytes().replace(b"DURATION", b"D_RATION"))
    whole = Film(path)
    assert len(list(whole)) == 100
    assert whole.damage == (), "sound may be longer or shorter than the pictures"
    short = Film(cut(path, 0.5))
    count = len(list(short))
    assert 20 < count < 80
    damage = short.damage[-1]
    assert (damage.start_s, damage.end_s) == pytest.approx((count / 25, 4.0), abs=0.3) or sound_s == 9.0
    assert sum(one.frames for one in short.damage) + count == pytest.approx(100, abs=6) or sound_s == 9.0
    stretch = Film(path, VideoOptions(end=0.5))
    list(stretch)
    assert stretch.damage == (), "what was not asked for is not missed"


def test_the_last_frame_of_a_variable_rate_may_stay_for_long(tmp_path: Path) -> None:
    times = [*range(0, 1000, 100), 3000, 9000]
    for name in ("film.mp4", "film.mkv"):
        film = Film(make_film(tmp_path / name, numbered(len(times)), times_ms=times))
        assert len(list(film)) == len(times)
        assert film.damage == ()


def test_damage_has_its_place_in_time_whatever_order_frames_are_decoded_in(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", numbered(60), options={"g": "60", "bf": "3", "b_strategy": "0"})
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    lost = packets[30]
    content = bytearray(path.read_bytes())
    content[lost.pos : lost.pos + lost.size] = bytes(lost.size)
    path.write_bytes(content)
    film = Film(path)
    frames = list(film)
    lost_s = float(lost.pts * lost.time_base)
    gap = next(place for place in range(1, 60) if frames[place].index != frames[place - 1].index + 1)
    assert [frame.index for frame in frames] == [round(frame.time_s * 25) for frame in frames]
    damage = film.damage[0]
    assert (damage.start_s, damage.end_s) == (frames[gap - 1].time_s, frames[gap].time_s)
    assert damage.start_s < lost_s < damage.end_s


def test_files_that_are_no_films_say_what_is_wrong(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", numbered(30)).read_bytes()
    cases = {
        "empty.mp4": (b"", "empty"),
        "text.mp4": (b"hello" * 100, "no film"),
        "cut.mp4": (film[: len(film) // 2], "cut off before its index"),  # the index stands at the end
        "zeros.mp4": (bytes(5000), "no film"),
    }
    for name, (content, says) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(VideoFormatError, match=says):
            list(Film(tmp_path / name))
    for place, says in ((tmp_path, "directory"), (tmp_path / "nothing.mp4", "no such file")):
        with pytest.raises(VideoFormatError, match=says):
            Film(place)


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = make_film(tmp_path / "song.mp4", [], sound="aac", pictures=False)
    with pytest.raises(VideoFormatError, match="only sound"):
        Film(path)


def test_a_film_without_frames_says_so(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.avi", numbered(10), codec="mjpeg")
    content = bytearray(path.read_bytes())
    movi = content.index(b"movi")
    path.write_bytes(content[: movi + 4])
    with pytest.raises(VideoFormatError, match="no frames"):
        list(Film(path))


@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile '{other}'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/film.mp4\n",
        "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{other}</BaseURL></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
)
def test_a_list_dressed_as_a_film_opens_nothing_else(tmp_path: Path, content: str) -> None:
    other = make_film(tmp_path / "other.mp4", numbered(5))
    disguised = tmp_path / "film.mp4"
    disguised.write_text(content.format(other=other))
    with pytest.raises(VideoFormatError, match="no film"):
        Film(disguised)


def test_a_name_that_looks_like_a_protocol_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "other.mp4", numbered(5)).rename("concat:other.mp4")
    assert len(read(Path("concat:other.mp4"))) == 5
    with pytest.raises(VideoFormatError, match="no such file"):
        Film("http://127.0.0.1:9/film.mp4")


def test_limits_are_checked_before_frames_are_read(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", numbered(50))
    with pytest.raises(VideoLimitError, match=r"96×64.*max_pixels"):
        Film(path, max_pixels=WIDTH * HEIGHT - 1)
    with pytest.raises(VideoLimitError, match="max_frames, 49"):
        Film(path, VideoOptions(max_frames=49))


def test_a_gif_that_declares_a_huge_size_is_refused_by_it(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.gif", numbered(3), codec="gif")
    content = bytearray(path.read_bytes())
    content[6:10] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    with pytest.raises(VideoLimitError, match=r"frames of 65535×65535 pixels, more than max_pixels"):
        Film(path)


def test_more_frames_than_declared_meet_the_limit_while_reading(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mkv", numbered(50))
    content = path.read_bytes()
    at = content.index(b"\x44\x89\x88")  # the duration, a float of eight bytes: say that there is hardly any
    path.write_bytes(content[: at + 3] + struct.pack(">d", 40.0) + content[at + 11 :])
    film = Film(path, VideoOptions(max_frames=30))
    with pytest.raises(VideoLimitError, match="max_frames"):
        list(film)


def test_an_absurd_declared_length_costs_nothing(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mkv", numbered(10))
    content = path.read_bytes()
    at = content.index(b"\x44\x89\x88")
    path.write_bytes(content[: at + 3] + struct.pack(">d", 1e30) + content[at + 11 :])
    assert len(read(path)) == 10


def test_real_films(shared: Path) -> None:
    for name, frames, size in (("three-people.mp4", 41, (480, 270)), ("signer.mkv", 77, (640, 480))):
        film = Film(shared / "media" / name)
        times = [frame.time_s for frame in film]
        assert (len(times), (film.info.width, film.info.height)) == (frames, size)
        assert times[0] == 0.0
        assert (np.diff(times) > 0).all()
