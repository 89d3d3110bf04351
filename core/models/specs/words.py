"""The word models that the plugin knows by itself: see :mod:`..catalogue` for what is listed."""

from __future__ import annotations

from .. import digests
from ..model import LookPolicy, ModelFile, ModelSpec

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


def _boxes(
    name: str, title: str, size_px: int, confidence: float, *, citation_url: str, files: tuple[ModelFile, ModelFile]
) -> ModelSpec:
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
        confidence=confidence,
    )


SPECS: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="starter_words",
        title="Starter words (comes with the plugin)",
        family="starter_words",
        accepts=frozenset({"words"}),
        files=(
            ModelFile("starter_encoder.onnx", digests.STARTER_ENCODER, 0, bundled=True),
            ModelFile("starter_words.onnx", digests.STARTER_WORDS, 0, bundled=True),
        ),
        input_size_px=1024,
        licence="GPL-2.0-or-later",
        citation_url="",
        # on generated scenes as many objects are found here as are given for nothing: MODEL_CARD.md
        confidence=0.55,
    ),
    _boxes(
        "owlv2_base",
        "OWLv2 base, quantised (boxes)",
        960,
        0.15,
        citation_url="https://arxiv.org/abs/2306.09683",
        files=(
            ModelFile("owlv2_base_ensemble_quantized.onnx", digests.OWLV2, 0, f"{_OWLV2}/onnx/model_quantized.onnx"),
            _CLIP_VOCABULARY,
        ),
    ),
    _boxes(
        "grounding_dino_tiny",
        "GroundingDINO tiny, quantised (boxes)",
        800,
        0.3,
        citation_url="https://arxiv.org/abs/2303.05499",
        files=(
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
)
"""The default first."""
