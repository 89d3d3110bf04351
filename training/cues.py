"""Classical cues made of pooling only, so that they run inside the exported graph.

A colour distance to the clicked colours; the cheapest way from a click, where a way costs its highest edge (what flood
fill measures) or the sum of its edges (geodesic distance). Ways are found by repeated 3x3 pooling, first at half the
resolution, which gives an upper bound, then at the full one.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

COARSE_STEPS = 20
FINE_STEPS = 6
FAR = 8.0


def colour_planes(image: Tensor, spread: Tensor) -> Tensor:
    """Brightness, two opponent colours and local roughness (B, 4, H/4, W/4), relative to the image's own contrast."""
    light = image.mean(1, keepdim=True)
    red_green = image[:, 0:1] - image[:, 1:2]
    yellow_blue = (image[:, 0:1] + image[:, 1:2]) * 0.5 - image[:, 2:3]
    scale = 1.0 / (spread + 0.03)
    planes = F.avg_pool2d(torch.cat((light, 1.5 * red_green, 1.5 * yellow_blue), 1), 4)
    square = F.avg_pool2d(light * light, 4)
    rough = (square - planes[:, :1] ** 2).clamp(min=0).add(1e-6).sqrt()
    return torch.cat((planes * scale, rough * scale), 1)


def edge_planes(colour: Tensor) -> Tensor:
    """Strength of the colour edge at each cell (B, 1, h, w)."""
    smooth = colour[:, :3]
    high = F.max_pool2d(smooth, 3, 1, 1)
    low = -F.max_pool2d(-smooth, 3, 1, 1)
    return (high - low).sum(1, keepdim=True) * 0.5


def path_cues(colour: Tensor, edges: Tensor, weight: Tensor, include: Tensor, exclude: Tensor) -> list[Tensor]:
    """Cue planes from the include clicks: colour likeness (include, exclude), then three floods, then three
    geodesic distances: over colour edges, over the learned border, over unlikeness to the clicked colours.

    Parameters
    ----------
    colour : Tensor
        (B, 4, h, w), see ``colour_planes``.
    edges : Tensor
        (B, 2, h, w): colour edges, and logits of the learned border.
    weight : Tensor
        (B, N, h, w): how much each cell belongs to a click; sums to 1 over cells.
    include, exclude : Tensor
        (B, N, 1, 1): 1 where the click is of that kind.
    """
    clicked = weight.flatten(2) @ colour.flatten(2).transpose(1, 2)  # (B, N, 4)
    distance = (colour[:, None] - clicked[..., None, None]).abs().sum(2)  # (B, N, h, w)
    likeness = [(torch.exp(-distance) * used).amax(1, keepdim=True) for used in (include, exclude)]
    unlike = (distance + (1.0 - include) * FAR).amin(1, keepdim=True)
    cost = torch.cat((edges[:, :1], 2.0 * torch.sigmoid(edges[:, 1:]), 0.5 * unlike), 1)
    seed = ((weight * include).amax(1, keepdim=True) > 0.15).float()
    flood, way = _cheapest(cost, seed)
    return [*likeness, torch.exp(flood), torch.exp(way * 0.5)]


def _cheapest(cost: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
    """Negated cost of the cheapest way from the seed: by highest edge, and by sum; 0 at the seed, -FAR at most."""
    coarse_cost = F.max_pool2d(cost, 2)
    start = (F.max_pool2d(seed, 2) - 1.0) * FAR
    flood = way = start.expand_as(coarse_cost)
    floor = start.expand_as(coarse_cost)
    for _ in range(COARSE_STEPS):
        flood = torch.maximum(floor, torch.minimum(F.max_pool2d(flood, 3, 1, 1), -coarse_cost))
        way = torch.maximum(way, F.max_pool2d(way, 3, 1, 1) - coarse_cost)
    flood = F.interpolate(flood, scale_factor=2.0, mode="nearest")
    way = F.interpolate(way, scale_factor=2.0, mode="nearest")
    start = ((seed - 1.0) * FAR).expand_as(cost)
    flood, way = torch.maximum(flood, start), torch.maximum(way, start)
    for _ in range(FINE_STEPS):
        flood = torch.maximum(flood, torch.minimum(F.max_pool2d(flood, 3, 1, 1), -cost))
        way = torch.maximum(way, F.max_pool2d(way, 3, 1, 1) - 0.5 * cost)
    return flood, way
