"""Segment Anything in PyTorch with random weights, and its export: ``python -m benchmarks.sam_torch FOLDER``.

The architecture is the published one, with an image encoder reduced to two layers; the mask decoder has its full size.
Neither speed nor parity depends on what the weights are.
"""

from __future__ import annotations

import argparse
import sys
import types
from pathlib import Path

import numpy as np
import torch
from PIL import Image

SEED = 20261120
DECODER_FILE, ENCODER_FILE = "sam_decoder.onnx", "sam_encoder.onnx"
_OPSET = 17


def _stand_in_for_torchvision() -> None:
    """Put modules in torchvision's place: segment-anything only resizes with it, by Pillow, and has no CPU build."""

    def to_pil_image(array):
        return Image.fromarray(array)

    def resize(image, size):
        return image.resize(size[::-1], Image.Resampling.BILINEAR)

    def absent(*args, **kwargs):
        raise NotImplementedError("not needed here")

    def module(name, **members):
        made = types.ModuleType(name)
        made.__dict__.update(members)
        sys.modules[name] = made

    for name in ("torchvision", "torchvision.transforms", "torchvision.ops"):
        module(name)
    module("torchvision.transforms.functional", resize=resize, to_pil_image=to_pil_image)
    module("torchvision.ops.boxes", batched_nms=absent, box_area=absent)


def random_sam():
    """Return a Sam module in evaluation mode, always the same."""
    _stand_in_for_torchvision()
    from segment_anything import modeling  # noqa: PLC0415 (after torchvision's stand-in)

    torch.manual_seed(SEED)
    encoder = modeling.ImageEncoderViT(
        depth=2, embed_dim=96, num_heads=3, mlp_ratio=2, out_chans=256, use_rel_pos=True, window_size=14
    )
    prompts = modeling.PromptEncoder(
        embed_dim=256, image_embedding_size=(64, 64), input_image_size=(1024, 1024), mask_in_chans=16
    )
    decoder = modeling.MaskDecoder(
        num_multimask_outputs=3,
        transformer=modeling.TwoWayTransformer(depth=2, embedding_dim=256, mlp_dim=2048, num_heads=8),
        transformer_dim=256,
    )
    return modeling.Sam(encoder, prompts, decoder).eval()


def export(sam, folder: Path) -> tuple[Path, Path]:
    """Write the encoder (normalised input "images") and the decoder of the official contract; return their paths."""
    from segment_anything.utils.onnx import SamOnnxModel  # noqa: PLC0415 (after torchvision's stand-in)

    folder.mkdir(parents=True, exist_ok=True)
    encoder, decoder = folder / ENCODER_FILE, folder / DECODER_FILE
    with torch.no_grad():
        torch.onnx.export(
            sam.image_encoder,
            (torch.zeros(1, 3, 1024, 1024),),
            str(encoder),
            input_names=["images"],
            output_names=["embeddings"],
            opset_version=_OPSET,
            dynamo=False,
        )
        torch.onnx.export(
            SamOnnxModel(sam, return_single_mask=False),
            (
                torch.zeros(1, 256, 64, 64),
                torch.full((1, 5, 2), 300.0),
                torch.ones(1, 5),
                torch.zeros(1, 1, 256, 256),
                torch.ones(1),
                torch.tensor([1024.0, 1024.0]),
            ),
            str(decoder),
            input_names=[
                "image_embeddings",
                "point_coords",
                "point_labels",
                "mask_input",
                "has_mask_input",
                "orig_im_size",
            ],
            output_names=["masks", "iou_predictions", "low_res_masks"],
            dynamic_axes={"point_coords": {1: "count"}, "point_labels": {1: "count"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    return encoder, decoder


def noise_image(height: int, width: int) -> np.ndarray:
    """Return an image (height, width, 3) uint8 with detail at every scale, always the same for a size."""
    rng = np.random.default_rng([SEED, height, width])
    total = np.zeros((height, width, 3))
    for cells in (4, 16, 64, 256):
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        total += np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    total += rng.integers(0, 256, (height, width, 3))
    return (total / 5).astype(np.uint8)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for path in export(random_sam(), parser.parse_args().folder):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
