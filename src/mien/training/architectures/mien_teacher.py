"""mien-teacher: one member of the ensemble that the smaller networks learn from."""

from __future__ import annotations

from mien.training.architectures._blocks import ResidualNetwork

STEM = 32
WIDTHS = (64, 128, 288)
BLOCKS = 2
DROPOUT = 0.3


class MienTeacher(ResidualNetwork):
    """`mien-base` with wider stages and more dropout.

    Reads float32 (faces, 1, height, width), normalised as the card says, and returns logits
    (faces, labels). Any size from 32×32 works. Members of an ensemble differ by their seed alone.
    Without `attention` the blocks have no squeeze-excite; all other parameters keep their names.
    With `standardise` each face is brought to mean 0 and deviation 1 first.
    """

    def __init__(self, labels: int, attention: bool = True, standardise: bool = False) -> None:
        super().__init__(
            labels,
            stem=STEM,
            widths=WIDTHS,
            blocks=BLOCKS,
            dropout=DROPOUT,
            attention=attention,
            standardise=standardise,
        )
