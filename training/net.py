"""The starter network: an encoder per image and a light decoder per set of prompts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .cues import colour_planes, edge_planes, path_cues

HEADS = 6
HEAD_WIDTH = 8
FEATURES = HEADS * HEAD_WIDTH
BASE = 32
SKIP = 8
STRIDE = 4
COLOURS = 4
EDGES = 2
EMBEDDING = FEATURES + BASE + COLOURS + EDGES
CLICK_SIGMAS = (4.0, 14.0, 48.0)
PLANES = 2 * len(CLICK_SIGMAS) + 2 * HEADS + 2 + 2 * (EDGES + 1) + 5 + 2


@dataclass(frozen=True)
class Prompts:
    """Prompts of a batch, in pixels of the image with pixel corners at integers."""

    points: Tensor
    """Clicks (B, N, 2), x then y."""
    labels: Tensor
    """What each click is (B, N): 1 include, 0 exclude, 2 soft include (centre of a box), -1 none."""
    box: Tensor
    """Box (B, 5): left, top, right, bottom, and 1 where there is one, else 0."""
    previous: Tensor
    """Logits of the last answer (B, 1, H/2, W/2); zeros where there is none."""


def _conv(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _up(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.second(self.first(x))))


class Encoder(nn.Module):
    """Features of an image, computed once and used by every prompt.

    Input is (B, 3, H, W) in 0..1 with H and W multiples of 32. Output is the embedding (B, EMBEDDING, H/4, W/4), which
    stacks similarity features, decoder input, colour planes and edge planes, and the sharp skip (B, SKIP, H/2, W/2).
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96, 128), depths: tuple[int, ...] = (1, 1, 2, 2)) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(6, widths[0], stride=2), _conv(widths[0], widths[0]))
        self.stages = nn.ModuleList(
            nn.Sequential(_conv(a, b, stride=2), *(Residual(b) for _ in range(depth)))
            for a, b, depth in zip(widths, widths[1:], depths)
        )
        self.context = nn.Linear(widths[-1], widths[-1])
        self.laterals = nn.ModuleList(nn.Conv2d(w, FEATURES, 1) for w in widths[1:])
        self.mix8 = _conv(FEATURES, FEATURES)
        self.mix4 = _conv(FEATURES, FEATURES)
        self.similar = nn.Conv2d(FEATURES, FEATURES, 1)
        self.base = nn.Conv2d(FEATURES, BASE, 1)
        self.border = nn.Conv2d(FEATURES, 1, 1)
        self.skip = nn.Conv2d(widths[0], SKIP, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        mean = image.mean((2, 3), keepdim=True)
        spread = ((image - mean) ** 2).mean((1, 2, 3), keepdim=True).sqrt()
        x = self.stem(torch.cat(((image - 0.45) * 4.0, (image - mean) / (spread + 0.03)), 1))
        skip = self.skip(x)
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        levels[-1] = x + self.context(x.mean((2, 3)))[:, :, None, None]
        x = self.laterals[3](levels[3])
        x = self.laterals[2](levels[2]) + _up(x)
        x = self.mix8(self.laterals[1](levels[1]) + _up(x))
        x = self.mix4(self.laterals[0](levels[0]) + _up(x))
        colour = colour_planes(image, spread)
        embedding = torch.cat((self._heads(x), self.base(x), colour, edge_planes(colour), self.border(x)), 1)
        return embedding, skip

    def _heads(self, x: Tensor) -> Tensor:
        """Similarity features with unit length in each head."""
        batch, _, height, width = x.shape
        heads = self.similar(x).view(batch, HEADS, HEAD_WIDTH, height, width)
        heads = heads / (heads.pow(2).sum(2, keepdim=True) + 1e-4).sqrt()
        return heads.view(batch, FEATURES, height, width)


class Decoder(nn.Module):
    """Mask logits (B, 1, H/2, W/2), coarse logits (B, 1, H/4, W/4) and predicted IoU (B, 1) for one prompt set."""

    def __init__(self, widths: tuple[int, ...] = (BASE, 48, 64, 88)) -> None:
        super().__init__()
        self.enter = nn.Conv2d(PLANES, BASE, 3, 1, 1)
        self.first = _conv(BASE, BASE)
        self.downs = nn.ModuleList(
            nn.Sequential(_conv(a, b, stride=2), Residual(b)) for a, b in zip(widths, widths[1:])
        )
        self.reduce = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in zip(widths, widths[1:]))
        self.ups = nn.ModuleList(_conv(a, a) for a in widths[:-1])
        self.low = nn.Conv2d(BASE, 1, 1)
        self.narrow = nn.Conv2d(BASE, 8, 1)
        self.sharp = _conv(8 + SKIP, 8)
        self.fine = nn.Conv2d(8, 1, 3, 1, 1)
        self.score = nn.Sequential(nn.Linear(3 * BASE + widths[-1] + 8, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, embedding: Tensor, skip: Tensor, prompts: Prompts) -> tuple[Tensor, Tensor, Tensor]:
        planes = prompt_planes(embedding, prompts)
        x = self.first(torch.relu(embedding[:, FEATURES : FEATURES + BASE] + self.enter(planes)))
        levels = [x]
        for down in self.downs:
            levels.append(down(levels[-1]))
        x = levels[3]
        deepest = x.mean((2, 3))
        for level in (2, 1, 0):
            x = self.ups[level](levels[level] + _up(self.reduce[level](x)))
        low = self.low(x)
        sharp = self.fine(self.sharp(torch.cat((_up(self.narrow(x)), skip), 1)))
        logits = sharp + F.interpolate(low, scale_factor=2.0, mode="bilinear", align_corners=False)
        return logits, low, torch.sigmoid(self.score(self._evidence(x, low, deepest, prompts)))

    def _evidence(self, x: Tensor, low: Tensor, deepest: Tensor, prompts: Prompts) -> Tensor:
        """What the predicted IoU is read from: features in, around and outside the mask, and facts of the mask."""
        x, low, deepest = x.detach(), low.detach(), deepest.detach()
        mask = torch.sigmoid(low)
        border = F.max_pool2d(mask, 5, 1, 2) + F.max_pool2d(-mask, 5, 1, 2)
        facts = [mask.mean((2, 3)), border.mean((2, 3)), (mask * (1 - mask)).mean((2, 3)) * 4]
        facts.append(facts[2] / (facts[0] + 0.01))
        frame = torch.cat((mask[:, :, 0], mask[:, :, -1], mask[:, :, :, 0], mask[:, :, :, -1]), 2)
        facts.append(frame.mean(2))
        facts.append(facts[1] / (facts[0] + 0.01).sqrt())
        facts.append(prompts.box[:, 4:5])
        facts.append((prompts.labels >= 0).float().sum(1, keepdim=True) * 0.2)
        pools = [(x * w).mean((2, 3)) / (w.mean((2, 3)) + 0.01) for w in (mask, border, 1 - mask)]
        return torch.cat((*pools, deepest, *facts), 1)


def prompt_planes(embedding: Tensor, prompts: Prompts) -> Tensor:
    """Planes (B, PLANES, h, w) that tell the decoder about the prompts, at the resolution of the embedding."""
    _, _, height, width = embedding.shape
    xs = (torch.arange(width, device=embedding.device).float() + 0.5) * STRIDE
    ys = (torch.arange(height, device=embedding.device).float() + 0.5) * STRIDE
    dx = xs[None, None, None, :] - prompts.points[:, :, 0, None, None]
    dy = ys[None, None, :, None] - prompts.points[:, :, 1, None, None]
    square = dx * dx + dy * dy  # (B, N, h, w)
    sure = (prompts.labels == 1).float()[:, :, None, None]
    include = (prompts.labels >= 1).float()[:, :, None, None]
    exclude = (prompts.labels == 0).float()[:, :, None, None]
    planes = []
    for sigma in CLICK_SIGMAS:
        near = torch.exp(square * (-0.5 / sigma**2))
        planes += [(near * sure).amax(1, keepdim=True), (near * exclude).amax(1, keepdim=True)]
    weight = torch.exp(square * (-0.5 / 3.0**2)) + 1e-6 * torch.exp(square * (-0.5 / 64.0**2))
    weight = weight / (weight.sum((2, 3), keepdim=True) + 1e-12)
    planes += _similarities(embedding[:, :FEATURES], weight, include, exclude)
    rest = embedding[:, FEATURES + BASE :].detach()
    planes += path_cues(rest[:, :COLOURS], rest[:, COLOURS:], weight, include, exclude)
    planes += _box_planes(xs, ys, prompts.box)
    previous = F.avg_pool2d(prompts.previous, 2)
    probability = torch.sigmoid(previous)
    planes += [torch.tanh(previous * 0.25), probability * (1 - probability) * 4]
    return torch.cat(planes, 1)


def _similarities(features: Tensor, weight: Tensor, include: Tensor, exclude: Tensor) -> list[Tensor]:
    """Cosine similarity to the features under the clicks, head by head: best include, best exclude (B, HEADS, h, w)."""
    batch, _, height, width = features.shape
    cells = features.view(batch, HEADS, HEAD_WIDTH, height * width)
    clicks = weight.view(batch, 1, -1, height * width) @ cells.transpose(2, 3)  # (B, heads, N, width)
    clicks = clicks / (clicks.pow(2).sum(3, keepdim=True) + 1e-4).sqrt()
    similar = (clicks @ cells).view(batch, HEADS, -1, height, width)
    return [(similar * used[:, None] - 2 * (1 - used[:, None])).amax(2).clamp(min=-1.0) for used in (include, exclude)]


def _box_planes(xs: Tensor, ys: Tensor, box: Tensor) -> list[Tensor]:
    """Signed distances to the four sides, in a scale that saturates, and whether there is a box at all."""
    there = box[:, 4, None, None]
    left = (xs[None, None, :] - box[:, 0, None, None]).expand(-1, ys.shape[0], -1)
    right = (box[:, 2, None, None] - xs[None, None, :]).expand(-1, ys.shape[0], -1)
    top = (ys[None, :, None] - box[:, 1, None, None]).expand(-1, -1, xs.shape[0])
    bottom = (box[:, 3, None, None] - ys[None, :, None]).expand(-1, -1, xs.shape[0])
    inside = torch.minimum(torch.minimum(left, right), torch.minimum(top, bottom))
    half_width = (box[:, 2] - box[:, 0])[:, None, None] * 0.5 + 1.0
    half_height = (box[:, 3] - box[:, 1])[:, None, None] * 0.5 + 1.0
    planes = [
        torch.tanh(inside / 4.0),
        torch.tanh(inside / 24.0),
        torch.minimum(left, right) / half_width,
        torch.minimum(top, bottom) / half_height,
    ]
    return [(plane.clamp(-1, 1) * there)[:, None] for plane in planes] + [(there + 0 * inside)[:, None]]
