"""What the network is told about its answers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def focal(logits: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """Normalised focal loss (B,) of logits (B, 1, h, w): the weights of a mask's pixels sum to a constant."""
    cross = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    missed = (torch.sigmoid(logits) - target).abs()
    weight = missed.detach() ** gamma
    weight = weight / (weight.mean((1, 2, 3), keepdim=True) + 0.02)
    return (weight * cross).mean((1, 2, 3)) + 0.3 * cross.mean((1, 2, 3))


def dice(logits: Tensor, target: Tensor) -> Tensor:
    """Soft Dice loss (B,)."""
    probability = torch.sigmoid(logits)
    overlap = (probability * target).sum((1, 2, 3))
    return 1 - (2 * overlap + 4) / (probability.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 4)


def true_iou(logits: Tensor, target: Tensor) -> Tensor:
    """IoU (B,) of the hard masks."""
    answer, wanted = logits > 0, target > 0.5
    both = (answer & wanted).sum((1, 2, 3)).float()
    return both / (answer | wanted).sum((1, 2, 3)).clamp(min=1).float()


def total(logits: Tensor, low: Tensor, score: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The whole loss of one answer, and the IoU (B,) that was reached.

    Parameters
    ----------
    logits : Tensor
        (B, 1, H/2, W/2)
    low : Tensor
        (B, 1, H/4, W/4)
    score : Tensor
        (B, 1), the predicted IoU.
    target : Tensor
        (B, 1, H/2, W/2), the share of each cell that the object covers.
    """
    reached = true_iou(logits, target)
    coarse = F.binary_cross_entropy_with_logits(low, F.avg_pool2d(target, 2))
    shape = focal(logits, target).mean() + dice(logits, target).mean() + 0.5 * coarse
    return shape + F.mse_loss(score[:, 0], reached), reached
