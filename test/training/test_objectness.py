"""Learning where clicks are answered with objects: run with ``make test-training``, which brings PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is only in the training environment: make test-training")
pytest.importorskip("onnx")

from prompt_segmenter.core.models import catalogue  # noqa: E402
from prompt_segmenter.core.models.families.starter import ENTRY  # noqa: E402
from prompt_segmenter.core.models.model import RuntimeSettings  # noqa: E402
from prompt_segmenter.core.models.store import ModelStore  # noqa: E402
from prompt_segmenter.core.progress import NullProgress  # noqa: E402
from prompt_segmenter.training.objectness import Answers, Objectness, at, auc, turned  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def test_a_map_is_read_where_the_points_lie():
    odds = torch.arange(12.0).reshape(1, 1, 3, 4)
    cells = torch.tensor([[0.5, 0.5], [3.5, 2.5], [2.0, 1.5]])
    assert at(odds, cells).tolist() == pytest.approx([0.0, 11.0, 5.5], abs=1e-5)


@pytest.mark.parametrize("way", range(8))
def test_points_are_turned_with_their_image(way):
    embedding = torch.rand(3, 8, 16).half()
    cells = torch.tensor([[2.5, 1.5], [9.5, 6.5]])
    maps, moved = turned(Answers(embedding, cells, torch.zeros(2)), way)
    for channel in range(3):
        wanted = at(embedding[None, channel : channel + 1].float(), cells)
        assert at(maps[:, channel : channel + 1], moved).tolist() == pytest.approx(wanted.tolist(), abs=1e-3)


def test_a_network_that_knows_nothing_is_right_half_of_the_time():
    rng = np.random.default_rng(1)
    cells = torch.from_numpy(rng.uniform(0, 24, (2000, 2)).astype(np.float32))
    answers = Answers(torch.rand(86, 24, 24).half(), cells, torch.from_numpy((rng.random(2000) < 0.3) * 1.0))
    assert auc(Objectness(), [[answers]]) == pytest.approx(0.5, abs=0.06)


def test_answers_are_collected_learned_from_and_exported_to_what_the_plugin_loads(tmp_path):
    command = [sys.executable, "-m", "training.objectness"]
    for more in (["collect", "--scenes", "2"], ["fit", "--rounds", "2", "--held", "1", "--out", str(tmp_path)]):
        done = subprocess.run(
            [*command, *more, "--folder", str(tmp_path / "asked")],
            cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
    spec = catalogue.get("starter")
    paths = (*ModelStore().locate(spec)[:2], str(tmp_path / "starter_objectness.onnx"))
    model = ENTRY.load(spec, paths, RuntimeSettings(threads=1, provider="cpu"))
    image = np.zeros((100, 120, 3), np.uint8)
    found = model.objectness(model.encode(image, NullProgress()), NullProgress())
    assert np.isfinite(found.values).all()
    assert found.values.shape[0] == 1
    assert found.values.shape[1] * found.step_px[1] == pytest.approx(100, abs=4)
