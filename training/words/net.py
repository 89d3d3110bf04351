"""The words head: what a cell and its surroundings look like, and then what the surroundings were taken for.

No convolution wider than a cell is learned: surroundings come in as means over 8, 16, 32 and about 96 pixels. So it
is trained on single cells of many scenes, in minutes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..net import EMBEDDING
from .targets import CELL, WORDS

POOLS = (2, 4, 8)
SIDES = (*POOLS, POOLS[-1])
"""Sides of the surroundings, in cells; the last is widened once more."""
OWN = EMBEDDING + 4
"""Planes of a cell: the encoder's, three colours, and contrast within the cell."""
SURROUNDED = OWN + 1
"""Planes of a cell's surroundings: their means, and contrast between their cells."""
SIGHT = OWN + SURROUNDED * (len(POOLS) + 1) + 4
"""All of these, and the colours and contrast of the whole window."""
HIDDEN, TALK = (112, 72), 56
_SURE = 6.0


def sight(features: Tensor, image: Tensor, places: Tensor | None = None) -> Tensor:
    """What is seen from each cell (B, SIGHT, h, w), or from some cells (B, SIGHT, 1, N).

    Parameters
    ----------
    features : Tensor (B, EMBEDDING, h, w)
        From the encoder; h and w are multiples of 8.
    image : Tensor (B, 3, 4 h, 4 w)
        In 0..1.
    places : Tensor (B, N, 2), optional
        Columns and rows of the cells, all if not given.
    """
    light = image.mean(1, keepdim=True)
    opponents = torch.cat((light, image[:, :1] - image[:, 1:2], (image[:, :1] + image[:, 1:2]) * 0.5 - image[:, 2:]), 1)
    colours, square = F.avg_pool2d(opponents, CELL), F.avg_pool2d(light * light, CELL)
    own = torch.cat((features, colours, _contrast(square, colours[:, :1])), 1)
    whole = torch.cat((colours, square), 1).mean((2, 3), keepdim=True)
    whole = torch.cat((whole[:, :3], _contrast(whole[:, 3:], whole[:, :1])), 1)
    size = own.shape[2:]
    planes = [_at(own, 1, size, places)]
    for side, mean, mean_square in zip(SIDES, means(own), means(square)):
        contrast = _contrast(mean_square, mean[:, EMBEDDING : EMBEDDING + 1])
        planes.append(_at(torch.cat((mean, contrast), 1), side, size, places))
    planes.append(whole.expand(-1, -1, planes[0].shape[2], planes[0].shape[3]))
    return torch.cat(planes, 1)


def means(planes: Tensor) -> list[Tensor]:
    """Means of planes (B, C, h, w) over each size of surroundings, a value for each SIDES cells."""
    found = [F.avg_pool2d(planes, side) for side in POOLS]
    found.append(F.avg_pool2d(found[-1], 3, 1, 1, count_include_pad=False))
    return found


def _at(mean: Tensor, side: int, size: tuple[int, int], places: Tensor | None) -> Tensor:
    """Means over ``side`` cells blended to every cell, or to some."""
    if places is None:
        return mean if side == 1 else F.interpolate(mean, scale_factor=float(side), mode="bilinear")
    spots = (places.float() + 0.5) / torch.tensor([size[1], size[0]]) * 2 - 1
    return F.grid_sample(mean, spots[:, None], mode="bilinear", padding_mode="border", align_corners=False)


def _contrast(square: Tensor, mean: Tensor) -> Tensor:
    return ((square - mean * mean).clamp(min=0) + 1e-5).sqrt()


class WordsHead(nn.Module):
    """Logits (B, words, h, w) from features (B, EMBEDDING, h, w) and their image (B, 3, 4 h, 4 w) in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(SIGHT))
        self.register_buffer("scale", torch.ones(SIGHT))
        self.look = nn.Sequential(
            nn.Conv2d(SIGHT, HIDDEN[0], 1), nn.ReLU(), nn.Conv2d(HIDDEN[0], HIDDEN[1], 1), nn.ReLU()
        )
        self.say = nn.Conv2d(HIDDEN[1], len(WORDS), 1)
        talked = HIDDEN[1] + len(WORDS) * (len(POOLS) + 2)
        self.hear = nn.Sequential(nn.Conv2d(talked, TALK, 1), nn.ReLU(), nn.Conv2d(TALK, len(WORDS), 1))
        self.bias = nn.Parameter(torch.zeros(len(WORDS)), requires_grad=False)
        nn.init.zeros_(self.hear[2].weight)
        nn.init.zeros_(self.hear[2].bias)

    def alone(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Thoughts and first logits of cells from what they see (B, SIGHT, h, w)."""
        thought = self.look((seen - self.mean[:, None, None]) * self.scale[:, None, None])
        return thought, self.say(thought)

    @staticmethod
    def talk(thought: Tensor, said: Tensor) -> Tensor:
        """What a cell knows after it has heard what its surroundings said (B, channels, h, w)."""
        chance = torch.sigmoid(said)
        around = [
            F.interpolate(mean, scale_factor=float(side), mode="bilinear") for side, mean in zip(SIDES, means(chance))
        ]
        return torch.cat((thought, said.clamp(-_SURE, _SURE), *around), 1)

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        thought, said = self.alone(sight(features, image))
        return said + self.hear(self.talk(thought, said)) + self.bias[:, None, None]
