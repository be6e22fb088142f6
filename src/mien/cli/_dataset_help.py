"""The help of `mien dataset` and its commands."""

from __future__ import annotations

from mien.cli import _exits
from mien.cli._training import DATA_FORMS

GROUP = f"""
Describe, check, split, convert, fetch and make data sets of labelled faces.

{DATA_FORMS}

From whole photos to a model: [bold]faces[/bold] cuts the crops out, [bold]check[/bold] finds what is wrong \
with them, [bold]describe[/bold] shows what they hold, [bold]split[/bold] sets some apart to test on, and \
mien train does the rest.

{_exits.HELP}
"""

DESCRIBE = """
Say how many faces of which label there are, how large and bright, and what the crowd says of them.

[bold]Examples[/bold]

  mien dataset describe faces/
  mien dataset describe fer2013 --votes ferplus.csv --output described

With --output everything is also drawn: class distribution, sizes, brightness and contrast, the votes, and a \
sheet of faces for each split, on one HTML page. Pictures that differ in size are resized to 48×48 (--side \
takes another) after their sizes are counted.
"""

CHECK = """
Find all that is wrong: folders, unreadable files and rows, sizes, copies (also across splits), labels.

[bold]Examples[/bold]

  mien dataset check faces/
  mien dataset check fer2013 --across --most 100
  mien dataset check faces/ --json > findings.json

Everything is listed, not the first fault only: folders that name no emotion or the same one twice (happy/ \
and happiness/), empty ones, and rows of a table by their line. Near copies are the same picture at another \
size, brightness or compression. Copies across splits make a \
test easier than it should be: mien dataset split keeps copies together. Nothing is changed; the exit code \
is 1 when something is found.
"""

SPLIT = """
Split faces into train, validation and test: a new folder, or one table (--output FILE.csv).

[bold]Examples[/bold]

  mien dataset split faces/ --output parted
  mien dataset split faces/ --output parted --test 0.2 --validation 0.1 --seed 7
  mien dataset split fer2013.csv --output parted.csv

mien train takes train/ and chooses the epoch on validation/; without it, it keeps a part of train/ apart \
by itself. Every label keeps its share. Copies of a picture stay in one part, and so does a person \
where the data set says who is on its pictures (CK+, JAFFE, a table's column subject). Splits that DATA has \
already are put together first.
"""

CONVERT = """
Write faces as a folder with one folder an emotion, or as a table (--output FILE.csv); splits stay.

[bold]Examples[/bold]

  mien dataset convert fer2013.csv --output fer2013
  mien dataset convert faces/ --side 48 --output faces-48
  mien dataset convert faces/ --output faces.csv --codes
"""

FETCH = """
Download a data set, check its SHA-256 and unpack it (ZIP, TAR); after a failure nothing stays.

[bold]Example[/bold]

  mien dataset fetch https://example.org/faces.zip --sha256 HEX --output faces

The SHA-256 is stated where the data set is offered, or comes from sha256sum on a copy you trust. An archive \
that would write outside its folder, holds links, or unpacks to far more than its size is refused whole.
"""

FACES = """
Cut training crops out of whole photos, found and aligned as mien analyze does it.

[bold]Examples[/bold]

  mien dataset faces photos --out crops
  mien dataset faces photos --out crops --every-face --sort

Photos in one folder an emotion (photos/happy/…), and those of CK+ and JAFFE, keep their emotion. Other \
photos, at any depth, come into one folder, or with --sort into one folder for what the model reads: look \
through these and move what is wrong, because a model learns nothing from its own opinion. Photos without a \
face are named; the exit code is 1 when photos cannot be read.
"""
