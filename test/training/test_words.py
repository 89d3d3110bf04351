"""The training of the words head: run with ``make test-training``, which brings PyTorch."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is only in the training environment: make test-training")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from prompt_segmenter.training.net import EMBEDDING  # noqa: E402
from prompt_segmenter.training.scenes.kinds import Kind  # noqa: E402
from prompt_segmenter.training.words import cache, levels  # noqa: E402
from prompt_segmenter.training.words.export import check, export, load  # noqa: E402
from prompt_segmenter.training.words.net import SIGHT, WordsHead, means, sight  # noqa: E402
from prompt_segmenter.training.words.seasons import recoloured  # noqa: E402
from prompt_segmenter.training.words.targets import WORDS  # noqa: E402
from prompt_segmenter.training.words.train import CELLS, Cells, Windows, fit, overlaps, places_of, train  # noqa: E402
from prompt_segmenter.training.words.views import views  # noqa: E402


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    cache.encode_windows(folder, 5, 24, 128)
    return folder


def first(windows, count, folder):
    """Return a folder with the first of the windows, as a cache that was stopped leaves it."""
    for path in windows.iterdir():
        array = np.load(path)
        array[count:] = 0
        np.save(folder / path.name, array)
    return folder


def test_a_cell_sees_the_same_alone_as_among_all():
    torch.manual_seed(1)
    features, image = torch.rand(2, EMBEDDING, 16, 24), torch.rand(2, 3, 64, 96)
    places = torch.stack((torch.randint(0, 24, (2, 9)), torch.randint(0, 16, (2, 9))), 2)
    whole, some = sight(features, image), sight(features, image, places)
    assert whole.shape == (2, SIGHT, 16, 24)
    for window in range(2):
        for index, (col, row) in enumerate(places[window].tolist()):
            assert torch.allclose(whole[window, :, row, col], some[window, :, 0, index], atol=1e-5)


def test_surroundings_of_an_even_plane_are_even():
    assert all(torch.allclose(mean, torch.full_like(mean, 0.4)) for mean in means(torch.full((1, 2, 16, 16), 0.4)))


def test_half_of_the_cells_are_of_each_kind_alike():
    shares = np.zeros((18, 400), np.uint8)
    shares[1], shares[1, :4], shares[7, :4] = 255, 0, 255  # four cells of a rare kind
    places = places_of(shares, np.random.default_rng(1))
    assert len(places) == CELLS
    assert (places < 4).sum() >= CELLS // 4


def test_the_head_learns_windows_by_heart_and_its_graph_says_the_same(windows, tmp_path):
    held = first(windows, 20, tmp_path)
    options = Namespace(windows=windows, held=held, steps=300, talks=20, batch=512, rate=3e-3, threads=1, seed=1)
    model = train(options)
    data = Windows(windows)
    assert len(data.learned) + len(data.held) == 24
    learned = overlaps(model, data, data.learned, torch.zeros(1))[0]
    blank = overlaps(WordsHead().eval(), data, data.learned, torch.zeros(1))[0]
    assert learned[WORDS.index("building")] > 0.5 > blank[WORDS.index("building")]
    torch.save({name: value.half() for name, value in model.state_dict().items()}, tmp_path / "head.pt")
    kept = load(tmp_path / "head.pt")
    assert check(kept, export(kept, tmp_path)) < 1e-3
    assert overlaps(kept, data, data.learned, torch.zeros(1))[0] == pytest.approx(learned, abs=0.03)


def test_a_fit_keeps_the_weights_that_were_best_on_what_is_held_back():
    def cells(right):
        return Cells(torch.ones(64, 3).half(), torch.zeros(64, 1).half(), *torch.full((2, 64, 2), right).half())

    def said(held):
        torch.manual_seed(1)
        layer = torch.nn.Conv2d(3, 2, 1)
        fit([layer], cells(1.0), held, 60, Namespace(rate=3e-2, batch=16))
        return layer(torch.ones(1, 3, 1, 1)).mean().item()

    wrong = cells(0.0)
    wrong.known.fill_(1)
    assert said(cells(1.0)) > said(wrong) + 1


def test_a_cache_that_was_stopped_is_trained_on_as_far_as_it_goes(windows, tmp_path):
    data = Windows(first(windows, 10, tmp_path))
    assert len(data.learned) + len(data.held) == 10


def test_other_colours_differ_and_leave_the_scene_as_it_was():
    scene = np.full((40, 60, 3), 0.3, np.float32)
    kinds = np.full((40, 60), Kind.TREE, np.uint8)
    changed = [recoloured(scene, kinds, np.random.default_rng(seed)) for seed in range(30)]
    assert all(one.shape == scene.shape and np.isfinite(one).all() and one.min() >= 0 for one in changed)
    assert np.unique([one.mean((0, 1)).round(3) for one in changed], axis=0).shape[0] > 10
    assert (scene == np.float32(0.3)).all()


def test_windows_that_are_not_varied_do_not_depend_on_there_being_varied_ones():
    plain, varied = (next(views(7, 64, {"woods": 1.0}, varied=flag)) for flag in (False, True))
    again = next(views(7, 64, {"woods": 1.0}))
    assert np.array_equal(plain.image, again.image)
    assert not np.array_equal(plain.image, varied.image)


def test_levels_count_what_the_plugin_reads_and_a_level_below_all_says_yes_everywhere(monkeypatch, tmp_path):
    monkeypatch.setattr("prompt_segmenter.training.words.views.POOL", 2)
    torch.save(WordsHead().state_dict(), tmp_path / "head.pt")
    reached = levels.overlaps(tmp_path / "head.pt", 9, 2, 96)
    assert reached.shape == (len(levels.LEVELS), len(WORDS))
    assert (reached[-1] == 0).all()
    assert 0 < reached[0].max() <= 1


def test_an_empty_folder_says_what_to_run(tmp_path):
    with pytest.raises(SystemExit, match=r"training\.words\.cache"):
        Windows(tmp_path)
