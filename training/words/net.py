"""The words head: a small U-shaped net over the starter's features, one logit for each word and cell."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..net import EMBEDDING, Residual
from .targets import WORDS

WIDTHS = (32, 40, 56)


def _conv(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class WordsHead(nn.Module):
    """Logits (B, words, h, w) from features (B, EMBEDDING, h, w) and their image (B, 3, 4 h, 4 w) in 0..1.

    h and w are multiples of 8. The image adds what outlines have no need of: plain colour and fine texture.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(EMBEDDING)
        self.enter = nn.Conv2d(EMBEDDING, widths[0], 1, bias=False)
        self.see = nn.Sequential(_conv(3, 12, stride=2), _conv(12, 16, stride=2))
        self.seen = nn.Conv2d(16 + 3, widths[0], 1, bias=False)
        self.meet = nn.Sequential(nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True))
        self.downs = nn.ModuleList(
            nn.Sequential(_conv(a, b, stride=2), Residual(b)) for a, b in zip(widths, widths[1:])
        )
        self.deep = nn.Sequential(_conv(widths[-1], widths[-1], stride=2), Residual(widths[-1]))
        self.raise_ = nn.Conv2d(widths[-1], widths[-1], 1)
        self.reduce = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in zip(widths, widths[1:]))
        self.ups = nn.ModuleList(_conv(a, a) for a in widths[:-1])
        self.last = nn.Conv2d(widths[0], len(WORDS), 1)

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        colour = (image - 0.45) * 4
        seen = torch.cat((self.see(colour), F.avg_pool2d(colour, 4)), 1)
        x = self.meet(self.enter(self.norm(features)) + self.seen(seen))
        levels = [x]
        for down in self.downs:
            levels.append(down(levels[-1]))
        x = levels[-1] + _up(self.raise_(self.deep(levels[-1])))
        for level in range(len(self.downs) - 1, -1, -1):
            x = self.ups[level](levels[level] + _up(self.reduce[level](x)))
        return self.last(x)


def _up(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def loss_of(logits: Tensor, right: Tensor, known: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross entropy of every word, and what its soft overlap in the batch lacks.

    Parameters
    ----------
    logits, right, known : Tensor (B, words, h, w)
        Answers, the share of each cell that is right, and the share of it that can be said.
    weights : Tensor (words,)
        How much more a cell counts where the word is right: rare words more.
    """
    worth = known * (1 + (weights[:, None, None] - 1) * right)
    entropy = (F.binary_cross_entropy_with_logits(logits, right, reduction="none") * worth).sum() / worth.sum()
    said = torch.sigmoid(logits)
    both = (said * right * known).sum((0, 2, 3))
    either = ((said + right) * known).sum((0, 2, 3))
    there = ((right * known).sum((0, 2, 3)) > 4).float()
    lacking = ((1 - (2 * both + 1) / (either + 1)) * there).sum() / there.sum().clamp(min=1)
    return 4 * entropy + lacking
