"""The click models that the plugin knows by itself: see :mod:`..catalogue` for what is listed."""

from __future__ import annotations

from .. import digests
from ..model import CertaintyPolicy, LookPolicy, ModelFile, ModelSpec

_CLICKS_BOXES_SHAPES = frozenset({"point", "box", "shape"})
_ACLY = "https://huggingface.co/Acly/MobileSAM/resolve/0d3b403339b4674a82493d5e97964dd78089ddc8"
_SAMGIS = "https://huggingface.co/aletrn/sam-quantized/resolve/main/machine_learning_models"
_LABELME = "https://github.com/wkentaro/labelme/releases/download/sam-20230416"
_MOBILE_SAM_PAPER = "https://arxiv.org/abs/2306.14289"
_SAM_PAPER = "https://arxiv.org/abs/2304.02643"


def _sam(name: str, title: str, licence: str, citation_url: str, files: tuple[ModelFile, ModelFile]) -> ModelSpec:
    return ModelSpec(
        name=name,
        title=title,
        family="sam",
        accepts=_CLICKS_BOXES_SHAPES,
        files=files,
        input_size_px=1024,
        licence=licence,
        citation_url=citation_url,
        look=LookPolicy(1024, zoom_in=True),
    )


def _quantised_sam(letter: str, checkpoint: str, encoder: str, decoder: str) -> ModelSpec:
    stem = f"sam_vit_{letter}_{checkpoint}.quantized"
    return _sam(
        f"sam_vit_{letter}",
        f"SAM ViT-{letter.upper()}, quantised",
        "Apache-2.0",
        _SAM_PAPER,
        (
            ModelFile(f"{stem}.encoder.onnx", encoder, 0, f"{_LABELME}/{stem}.encoder.onnx"),
            ModelFile(f"{stem}.decoder.onnx", decoder, 0, f"{_LABELME}/{stem}.decoder.onnx"),
        ),
    )


SPECS: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="starter",
        title="Starter (comes with the plugin)",
        family="starter",
        accepts=_CLICKS_BOXES_SHAPES,
        files=(
            ModelFile("starter_encoder.onnx", digests.STARTER_ENCODER, 0, bundled=True),
            ModelFile("starter_decoder.onnx", digests.STARTER_DECODER, 0, bundled=True),
            ModelFile("starter_objectness.onnx", digests.STARTER_OBJECTNESS, 0, bundled=True),
        ),
        input_size_px=384,
        licence="GPL-2.0-or-later",
        citation_url="",
        look=LookPolicy(192, scales=(1.0, 3.0, 6.0), snap_px=2, box_margin=1.25),
        certainty=CertaintyPolicy(min_score=0.75, stability_offset=2.0, min_stability=0.45),
    ),
    _sam(
        "mobile_sam",
        "MobileSAM",
        "Apache-2.0 (weights), MIT (export)",
        _MOBILE_SAM_PAPER,
        (
            ModelFile(
                "mobile_sam_image_encoder.onnx",
                digests.MOBILE_SAM_ENCODER,
                28_157_093,
                f"{_ACLY}/mobile_sam_image_encoder.onnx",
            ),
            ModelFile(
                "sam_mask_decoder_multi.onnx",
                digests.MOBILE_SAM_DECODER,
                16_496_559,
                f"{_ACLY}/sam_mask_decoder_multi.onnx",
            ),
        ),
    ),
    _sam(
        "mobile_sam_samgis",
        "MobileSAM as SamGIS runs it",
        "Apache-2.0",
        _MOBILE_SAM_PAPER,
        (
            ModelFile(
                "samgis_mobile_sam.encoder.onnx", digests.SAMGIS_ENCODER, 0, f"{_SAMGIS}/mobile_sam.encoder.onnx"
            ),
            ModelFile(
                "samgis_mobile_sam.decoder.onnx", digests.SAMGIS_DECODER, 0, f"{_SAMGIS}/mobile_sam.decoder.onnx"
            ),
        ),
    ),
    _quantised_sam("b", "01ec64", digests.SAM_B_ENCODER, digests.SAM_B_DECODER),
    _quantised_sam("l", "0b3195", digests.SAM_L_ENCODER, digests.SAM_L_DECODER),
    _quantised_sam("h", "4b8939", digests.SAM_H_ENCODER, digests.SAM_H_DECODER),
)
"""The default first."""
