"""mien-base: a residual network with squeeze-excite for 48×48 grey faces."""

from __future__ import annotations

from mien.training.architectures._blocks import ResidualNetwork

STEM = 32
WIDTHS = (48, 96, 192)
BLOCKS = 2
DROPOUT = 0.2


class MienBase(ResidualNetwork):
    """Stem at full size, then three stages of two residual blocks: 1.58 M parameters, 130 M multiply-adds.

    Reads float32 (faces, 1, height, width), normalised as the card says, and returns logits
    (faces, labels). Any size from 32×32 works, which training uses; the models are exported at 48×48.
    Without `attention` the blocks have no squeeze-excite; all other parameters keep their names.
    With `standardise` each face is brought to mean 0 and deviation 1 first.
    """

    def __init__(
        self,
        labels: int,
        widths: tuple[int, ...] = WIDTHS,
        blocks: int = BLOCKS,
        attention: bool = True,
        standardise: bool = False,
    ) -> None:
        super().__init__(
            labels,
            stem=STEM,
            widths=widths,
            blocks=blocks,
            dropout=DROPOUT,
            attention=attention,
            standardise=standardise,
        )
