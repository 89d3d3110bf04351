"""The models that the plugin knows by itself. The list never depends on which files are on this machine.

A model is listed only if every file of it has a digest: what is fetched is verified, or it is not offered. Models whose
licence forbids commercial use, or reaches out for the program around them (AGPL), are not offered. Where a licence must
be accepted first, nothing is fetched or loaded until the user has done so. Other files can be registered, see
:mod:`.registered`.
"""

from __future__ import annotations

from ..errors import UnknownNameError
from . import digests
from .model import CertaintyPolicy, LookPolicy, ModelFile, ModelSpec

DEFAULT = "starter"
_CLICKS_BOXES_SHAPES = frozenset({"point", "box", "shape"})
_ACLY = "https://huggingface.co/Acly/MobileSAM/resolve/0d3b403339b4674a82493d5e97964dd78089ddc8"
_SAMGIS = "https://huggingface.co/aletrn/sam-quantized/resolve/main/machine_learning_models"
_LABELME = "https://github.com/wkentaro/labelme/releases/download/sam-20230416"
_OWLV2 = "https://huggingface.co/Xenova/owlv2-base-patch16-ensemble/resolve/3e255bc9bf304b3358a8c1945c0a9514eefe7f10"
_DINO = (
    "https://huggingface.co/onnx-community/grounding-dino-tiny-ONNX/resolve/ff690b0a8050566c290287545bd059350f3e9096"
)
_SAM3 = "https://huggingface.co/wkentaro/sam3-onnx-models-v0.3.0/resolve/main"
_EFFICIENT_SAM3 = "https://huggingface.co/xuckless/pixl-efficientsam3-onnx/resolve/main"
_CLIP = "https://raw.githubusercontent.com/openai/CLIP/d05afc436d78f1c48dc0dbf8e5980a9d471f35f6/clip"
_CLIP_VOCABULARY = ModelFile(
    "bpe_simple_vocab_16e6.txt.gz", digests.CLIP_VOCABULARY, 1_356_917, f"{_CLIP}/bpe_simple_vocab_16e6.txt.gz"
)
_MOBILE_SAM_PAPER = "https://arxiv.org/abs/2306.14289"
_SAM_PAPER = "https://arxiv.org/abs/2304.02643"


def names(takes: str = "") -> list[str]:
    """Return the names of the models of :func:`taking`, the default first."""
    return [spec.name for spec in taking(takes)]


def taking(kind: str = "") -> list[ModelSpec]:
    """Return the models that take pixels and a kind of prompt, e.g. "point" or "words"; any kind if none is said."""
    return [spec for spec in SPECS if not spec.fetches_map and (not kind or kind in spec.accepts)]


def map_servers(kind: str = "") -> list[ModelSpec]:
    """Return the models that take a kind of prompt and fetch the map themselves: see :mod:`..map_server`."""
    return [spec for spec in SPECS if spec.fetches_map and (not kind or kind in spec.accepts)]


def get(name: str, takes: str = "") -> ModelSpec:
    """Return the model called ``name``.

    Raises
    ------
    UnknownNameError
        If there is none; the message lists those that take this kind of prompt (all if none is said).

    Examples
    --------
    >>> get("mobile_sam").licence
    'Apache-2.0 (weights), MIT (export)'
    """
    for spec in SPECS:
        if spec.name == name:
            return spec
    known = [spec.name for spec in (*taking(takes), *map_servers(takes))]
    raise UnknownNameError(f"There is no model called '{name}'.", hint=f"Use one of: {', '.join(known)}.")


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


def _sam3(name: str, title: str, citation_url: str, files: tuple[ModelFile, ...]) -> ModelSpec:
    return ModelSpec(
        name=name,
        title=title,
        family="sam3",
        accepts=frozenset({"words", "example"}),
        files=(*files, _CLIP_VOCABULARY),
        input_size_px=1008,
        licence="SAM License",
        citation_url=citation_url,
        look=LookPolicy(1008),
        must_accept=True,
        licence_url="https://github.com/facebookresearch/sam3/blob/main/LICENSE",
    )


def _boxes(name: str, title: str, size_px: int, citation_url: str, files: tuple[ModelFile, ModelFile]) -> ModelSpec:
    return ModelSpec(
        name=name,
        title=title,
        family=name.rpartition("_")[0],
        accepts=frozenset({"words"}),
        files=files,
        input_size_px=size_px,
        licence="Apache-2.0",
        citation_url=citation_url,
        look=LookPolicy(size_px),
    )


def _samgeo(
    version: str, title: str, *, identifier: str, accepts: frozenset[str], licence: str, page: str
) -> ModelSpec:
    return ModelSpec(
        name=f"samgeo_{version}",
        title=f"{title} on a samgeo server",
        family="samgeo_server",
        accepts=accepts,
        files=(),
        input_size_px=1024,
        licence=licence,
        citation_url=page,
        # Each look is a request with an image in it: one chip of about the model's own size, and no second look.
        look=LookPolicy(1024),
        traits=frozenset({f"model={version}:{identifier}"}),
        server="samgeo",
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
        ),
        input_size_px=384,
        licence="GPL-2.0-or-later",
        citation_url="",
        look=LookPolicy(192, scales=(1.0, 3.0, 6.0), snap_px=2, box_margin=1.25),
        certainty=CertaintyPolicy(min_score=0.7, stability_offset=2.0, min_stability=0.35),
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
    _boxes(
        "owlv2_base",
        "OWLv2 base, quantised (boxes)",
        960,
        "https://arxiv.org/abs/2306.09683",
        (
            ModelFile("owlv2_base_ensemble_quantized.onnx", digests.OWLV2, 0, f"{_OWLV2}/onnx/model_quantized.onnx"),
            _CLIP_VOCABULARY,
        ),
    ),
    _boxes(
        "grounding_dino_tiny",
        "GroundingDINO tiny, quantised (boxes)",
        800,
        "https://arxiv.org/abs/2303.05499",
        (
            ModelFile(
                "grounding_dino_tiny_quantized.onnx", digests.GROUNDING_DINO, 0, f"{_DINO}/onnx/model_quantized.onnx"
            ),
            ModelFile("bert_vocab.txt", digests.BERT_VOCABULARY, 0, f"{_DINO}/vocab.txt"),
        ),
    ),
    _sam3(
        "sam3",
        "SAM 3 (3.4 GB)",
        "https://arxiv.org/abs/2511.16719",
        (
            ModelFile("sam3_image_encoder.onnx", digests.SAM3_IMAGE, 0, f"{_SAM3}/sam3_image_encoder.onnx"),
            # Weights beside a graph keep the name that the graph knows them by.
            ModelFile(
                "sam3_image_encoder.onnx.data", digests.SAM3_IMAGE_DATA, 0, f"{_SAM3}/sam3_image_encoder.onnx.data"
            ),
            ModelFile("sam3_language_encoder.onnx", digests.SAM3_LANGUAGE, 0, f"{_SAM3}/sam3_language_encoder.onnx"),
            ModelFile(
                "sam3_language_encoder.onnx.data",
                digests.SAM3_LANGUAGE_DATA,
                0,
                f"{_SAM3}/sam3_language_encoder.onnx.data",
            ),
            ModelFile("sam3_decoder.onnx", digests.SAM3_DECODER, 0, f"{_SAM3}/sam3_decoder.onnx"),
        ),
    ),
    _sam3(
        "efficientsam3_ev_m",
        "EfficientSAM3 EV-M (not tried yet with its real weights)",
        "https://github.com/SimonZeng7108/efficientsam3",
        (
            ModelFile(
                "efficientsam3_ev_m_image_encoder.onnx",
                digests.EFFICIENT_SAM3_IMAGE,
                85_436_582,
                f"{_EFFICIENT_SAM3}/efficientsam3_ev_m_image_encoder.onnx",
            ),
            ModelFile(
                "efficientsam3_ev_m_text_encoder.onnx",
                digests.EFFICIENT_SAM3_LANGUAGE,
                169_171_689,
                f"{_EFFICIENT_SAM3}/efficientsam3_ev_m_text_encoder.onnx",
            ),
            ModelFile(
                "efficientsam3_ev_m_decoder.onnx",
                digests.EFFICIENT_SAM3_DECODER,
                129_858_624,
                f"{_EFFICIENT_SAM3}/efficientsam3_ev_m_decoder.onnx",
            ),
        ),
    ),
    ModelSpec(
        name="samgis",
        title="SamGIS server",
        family="samgis",
        accepts=frozenset({"point", "box", "words"}),
        files=(),
        input_size_px=1024,
        licence="MIT (server), the server's own choice (weights)",
        citation_url="https://github.com/trincadev/samgis-be",
        server="samgis",
        fetches_map=True,
    ),
    _samgeo(
        "sam3",
        "SAM 3",
        identifier="facebook/sam3",
        accepts=frozenset({"point", "box", "words", "example", "everything"}),
        licence="SAM License (the server's weights)",
        page="https://arxiv.org/abs/2511.16719",
    ),
    _samgeo(
        "sam2",
        "SAM 2",
        identifier="sam2-hiera-large",
        accepts=frozenset({"point", "everything"}),
        licence="Apache-2.0 (the server's weights)",
        page="https://arxiv.org/abs/2408.00714",
    ),
    _samgeo(
        "sam",
        "SAM",
        identifier="vit_h",
        accepts=frozenset({"point", "everything"}),
        licence="Apache-2.0 (the server's weights)",
        page=_SAM_PAPER,
    ),
)
