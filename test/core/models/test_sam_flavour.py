from __future__ import annotations

import pytest
from prompt_segmenter.core.errors import ModelFileError
from prompt_segmenter.core.models.onnx_session import TensorInfo
from prompt_segmenter.core.models.sam_flavour import Layout, ScoreKind, detect_decoder, detect_encoder

EMBEDDING = (TensorInfo("image_embeddings", (1, 256, 64, 64), "float32"),)


def image(name, shape, dtype="float32"):
    return (TensorInfo(name, shape, dtype),)


def tensors(*names, dtype="float32"):
    return tuple(TensorInfo(name, (None,), dtype) for name in names)


@pytest.mark.parametrize(
    ("declared", "flavour", "size", "normalised", "padded"),
    [
        (image("input_image", (None, None, 3)), "B", 1024, False, False),
        (image("input_image", (1, 3, 1024, 1024)), "C", 1024, True, True),
        (image("images", (1, 3, 1024, 1024)), "D", 1024, True, True),
        (image("x", (1, 3, 1024, 1024)), "E", 1024, True, True),
        (image("image", (1, 3, 1024, 1024)), "G", 1024, True, True),
        (image("image", (1, 3, None, None), "uint8"), "G", 1024, False, False),
        (image("image", (1, 3, 1024, 1024), "uint8"), "G", 1024, False, True),
        (image("input_image", (None, 3, 512, 512)), "H", 512, True, True),
        (image("image", (1, 3, 512, 512)), "I", 512, True, True),
        (image("images", (None, 3, None, None), "float16"), "D", 1024, True, True),
    ],
)
def test_encoders_are_told_by_name_rank_type_and_size(declared, flavour, size, normalised, padded):
    spec = detect_encoder(declared, EMBEDDING, size_px=1024)
    assert (spec.flavour, spec.size_px, spec.normalised, spec.padded) == (flavour, size, normalised, padded)
    assert spec.layout is (Layout.ROWS_COLS_BANDS if flavour == "B" else Layout.BATCH_BANDS_ROWS_COLS)
    assert (spec.input, spec.output, spec.dtype) == (declared[0].name, "image_embeddings", declared[0].dtype)


def test_raw_pixels_are_known_only_from_the_catalogue():
    spec = detect_encoder(image("image", (1, 3, 512, 512)), EMBEDDING, size_px=512, traits=frozenset({"nonorm"}))
    assert not spec.normalised
    assert spec.padded


@pytest.mark.parametrize(
    ("declared", "outputs"),
    [
        (image("pixel_values", (1, 3, 1024, 1024)), EMBEDDING),
        (image("batched_images", (1, 3, 1024, 1024)), EMBEDDING),
        (image("image", (1, 3, 1024, 512)), EMBEDDING),
        (image("image", (1, 1, 1024, 1024)), EMBEDDING),
        (image("image", (8, 3, 1024, 1024)), EMBEDDING),
        (image("image", (1, 3, 1024, 1024), "int64"), EMBEDDING),
        (image("input_image", (684, 1024, 3)), EMBEDDING),
        (image("image", (1, 3, 1024, 1024)), tensors("high_res_feats_0", "high_res_feats_1", "image_embed")),
        (image("input_image", (None, None, 3)), (*EMBEDDING, *tensors("interm_embeddings"))),
        ((*image("image", (1, 3, 1024, 1024)), *image("more", (1,))), EMBEDDING),
        (image("image", (1, 3, 1024, 1024)), tensors("logits")),
    ],
    ids=[
        "transformers",
        "EfficientSAM",
        "oblong",
        "grey",
        "batch",
        "integers",
        "fixed canvas",
        "SAM 2",
        "HQ",
        "two",
        "flat",
    ],
)
def test_another_encoder_is_refused_with_what_was_found(declared, outputs):
    with pytest.raises(ModelFileError) as caught:
        detect_encoder(declared, outputs, size_px=1024)
    assert str(declared[0]) in caught.value.message
    assert outputs[-1].name in caught.value.message


PROMPTS = ("image_embeddings", "point_coords", "point_labels")
MASK = ("mask_input", "has_mask_input")


OFFICIAL = ("masks", "iou_predictions", "low_res_masks")


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        ((*PROMPTS, *MASK, "orig_im_size"), OFFICIAL, ("A", True, True, "low_res_masks", "iou_predictions")),
        ((*PROMPTS, *MASK), OFFICIAL[1:], ("I", True, False, "low_res_masks", "iou_predictions")),
        (PROMPTS, ("scores", "masks"), ("G", False, False, "masks", "scores")),
        (PROMPTS, ("masks", "iou_predictions"), ("H", False, False, "masks", "iou_predictions")),
    ],
)
def test_decoders_are_told_by_their_names(inputs, outputs, expected):
    spec = detect_decoder(tensors(*inputs), tensors(*outputs))
    assert (spec.flavour, spec.takes_mask, spec.takes_size, spec.logits, spec.scores) == expected
    assert [name for name, _ in spec.dtypes] == list(inputs)


def test_only_the_scores_of_edge_sam_are_replaced_by_stability():
    edge = detect_decoder(tensors(*PROMPTS), tensors("scores", "masks"))
    other = detect_decoder(tensors(*PROMPTS), tensors("masks", "iou_predictions"))
    assert edge.score_kind is ScoreKind.STABILITY
    assert other.score_kind is ScoreKind.PREDICTED_IOU


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (tensors("input_points", "input_labels", "image_embeddings"), tensors("iou_scores", "pred_masks")),
        (tensors(*PROMPTS, *MASK, "orig_im_size", "interm_embeddings"), tensors(*OFFICIAL)),
        (tensors(*PROMPTS), tensors("masks")),
        ((*tensors(*PROMPTS, *MASK), *tensors("orig_im_size", dtype="int64")), tensors(*OFFICIAL)),
        (image("images", (1, 3, 1024, 1024)), EMBEDDING),
    ],
    ids=["transformers", "HQ", "no scores", "integer size", "an encoder"],
)
def test_another_decoder_is_refused_with_what_was_found(inputs, outputs):
    with pytest.raises(ModelFileError) as caught:
        detect_decoder(inputs, outputs)
    assert str(inputs[-1]) in caught.value.message
    assert "encoder's file first" in caught.value.hint
