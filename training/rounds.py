"""One training step: first prompts, simulated corrections, and the loss of the last answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .clicks import Gesture, correct
from .losses import total
from .net import Decoder, Encoder, Prompts
from .samples import OBJECTS, Batch
from .scenes.textures import Rng

CORRECTIONS = (0.36, 0.26, 0.22, 0.16)
"""How often 0, 1, 2, 3 corrections come before the answer that is learned from."""


class Starter(nn.Module):
    """Encoder and decoder together."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()


@dataclass(frozen=True)
class Outcome:
    """What a step gives to the log."""

    loss: Tensor
    iou: Tensor
    """(B,) IoU of the last answers."""
    score_error: float


def step(model: Starter, batch: Batch, rng: Rng, device: torch.device) -> Outcome:
    """The loss of one batch."""
    image = batch.images.to(device).float() / 255
    masks = batch.masks.to(device).float()[:, None]
    target = F.avg_pool2d(masks, 2)
    embedding, skip = model.encoder(image.to(memory_format=torch.channels_last))
    border = F.binary_cross_entropy_with_logits(
        embedding[:, -1:], batch.borders.to(device), pos_weight=torch.tensor(2.0)
    )
    embedding, skip = (x.repeat_interleave(OBJECTS, 0) for x in (embedding, skip))
    gestures = [Gesture(p, n, b) for p, n, b in zip(batch.points.numpy(), batch.labels.numpy(), batch.boxes.numpy())]
    previous = torch.zeros_like(target)
    for _ in range(int(rng.choice(len(CORRECTIONS), p=CORRECTIONS))):
        previous = _answer(model, embedding, skip, gestures, previous)
        _correct(gestures, batch.masks.numpy(), previous, rng)
    keep = torch.from_numpy((rng.random(len(gestures)) > 0.15).astype(np.float32)).to(device)
    prompts = as_prompts(gestures, previous * keep[:, None, None, None])
    logits, low, score = model.decoder(embedding, skip, prompts)
    loss, iou = total(logits, low, score, target)
    return Outcome(loss + 0.3 * border, iou, float((score[:, 0] - iou).detach().abs().mean()))


@torch.no_grad()
def _answer(model: Starter, embedding: Tensor, skip: Tensor, gestures: list[Gesture], previous: Tensor) -> Tensor:
    model.decoder.eval()
    logits, _, _ = model.decoder(embedding, skip, as_prompts(gestures, previous))
    model.decoder.train()
    return logits


def _correct(gestures: list[Gesture], masks: np.ndarray, logits: Tensor, rng: Rng) -> None:
    answers = (logits[:, 0] > 0).cpu().numpy()
    for gesture, mask, answer in zip(gestures, masks, answers):
        correct(gesture, mask[::2, ::2], answer, rng, scale=2.0)


def as_prompts(gestures: list[Gesture], previous: Tensor) -> Prompts:
    """Gestures as the decoder takes them."""
    device = previous.device
    return Prompts(
        torch.from_numpy(np.stack([g.points for g in gestures])).to(device),
        torch.from_numpy(np.stack([g.labels for g in gestures])).to(device),
        torch.from_numpy(np.stack([g.box for g in gestures])).to(device),
        previous,
    )
