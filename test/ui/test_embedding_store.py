from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.models.embedding import EmbeddingKey
from prompt_segmenter.core.models.model import ImageEmbedding
from prompt_segmenter.ui import embedding_store
from prompt_segmenter.ui.embedding_store import StoreSettings, embedding_cache
from prompt_segmenter.ui.store_controls import StoreControls

KEY = EmbeddingKey("starter", "00", "11", 1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_store, "folder", lambda: tmp_path / "store")
    return tmp_path / "store"


def embedding(megabytes=1):
    return ImageEmbedding((np.zeros(megabytes * 1024 * 1024, np.uint8),), (4, 4))


def test_a_view_that_was_encoded_is_there_after_a_restart():
    embedding_cache().put(KEY, embedding())

    assert embedding_cache().get(KEY).image_size == (4, 4)


def test_switched_off_nothing_is_written(folder):
    embedding_store.remember(StoreSettings(on_disk=False))
    embedding_cache().put(KEY, embedding())

    assert not folder.exists()


def test_the_cap_holds(folder):
    embedding_store.remember(StoreSettings(True, 50))
    cache = embedding_cache()
    for number in range(4):
        cache.put(EmbeddingKey("starter", "00", str(number), 1), embedding(20))

    assert embedding_store.used_bytes() <= 50 * 1024 * 1024
    assert len(list(folder.iterdir())) == 2


def test_emptying_takes_encoded_views_and_nothing_else(folder, heard):
    embedding_cache().put(KEY, embedding(3))
    (folder / "letter.txt").write_text("mine")
    controls = StoreControls()
    controls.refresh()
    changed = heard(controls.changed)
    assert controls.used.text() == "The folder holds 3 MB."

    controls.clear.click()

    assert controls.used.text() == "The folder holds 0 MB."
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
    assert len(changed.values) == 1


def test_what_the_widgets_say_is_what_the_next_cache_does(heard):
    controls = StoreControls()
    changed = heard(controls.changed)

    controls.cap.setValue(200)
    controls.on_disk.click()

    assert embedding_store.store_settings() == StoreSettings(False, 200)
    assert len(changed.values) == 2
    assert not controls.cap.isEnabled()
