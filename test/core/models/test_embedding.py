from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
from prompt_segmenter.core.models.embedding import EmbeddingCache, EmbeddingKey, image_digest
from prompt_segmenter.core.models.model import ImageEmbedding

KILOBYTE = 256  # float32 values


def key(number, version=1):
    return EmbeddingKey("model", "aa", f"image {number}", version)


def embedding(value=0.0, values=KILOBYTE):
    return ImageEmbedding((np.full(values, value, np.float32),), (3, 5))


def test_what_was_put_comes_back_as_the_same_object():
    cache = EmbeddingCache(10_000)
    kept = embedding()
    cache.put(key(1), kept)
    assert cache.get(key(1)) is kept


def test_what_was_not_put_is_none():
    assert EmbeddingCache(10_000).get(key(1)) is None


def test_another_preprocess_version_is_another_embedding():
    cache = EmbeddingCache(10_000)
    cache.put(key(1, version=1), embedding())
    assert cache.get(key(1, version=2)) is None


def test_kept_arrays_can_not_be_written():
    cache = EmbeddingCache(10_000)
    cache.put(key(1), embedding())
    with pytest.raises(ValueError, match="read-only"):
        cache.get(key(1)).arrays[0][0] = 1.0


def test_the_least_recently_used_goes_first():
    cache = EmbeddingCache(2 * 1024)
    cache.put(key(1), embedding())
    cache.put(key(2), embedding())
    cache.get(key(1))
    cache.put(key(3), embedding())
    assert [cache.get(key(number)) is not None for number in (1, 2, 3)] == [True, False, True]
    assert cache.nbytes == 2 * 1024
    assert len(cache) == 2


def test_an_embedding_larger_than_the_limit_is_not_kept_and_pushes_none_out():
    cache = EmbeddingCache(1024)
    cache.put(key(1), embedding())
    cache.put(key(2), embedding(values=2 * KILOBYTE))
    assert cache.get(key(2)) is None
    assert cache.get(key(1)) is not None


def test_putting_the_same_key_twice_counts_its_bytes_once():
    cache = EmbeddingCache(10_000)
    cache.put(key(1), embedding(1.0))
    cache.put(key(1), embedding(2.0))
    assert cache.nbytes == 1024
    assert cache.get(key(1)).arrays[0][0] == 2.0


def test_a_folder_brings_embeddings_to_the_next_session(tmp_path):
    two = ImageEmbedding((np.arange(6, dtype=np.float32).reshape(2, 3), np.array([7], np.int64)), (30, 50))
    EmbeddingCache(10_000, folder=tmp_path / "new").put(key(1), two)
    back = EmbeddingCache(10_000, folder=tmp_path / "new").get(key(1))
    assert back.image_size == (30, 50)
    assert [array.tolist() for array in back.arrays] == [[[0, 1, 2], [3, 4, 5]], [7]]
    assert [array.dtype for array in back.arrays] == [np.float32, np.int64]
    assert not back.arrays[0].flags.writeable


def test_the_folder_holds_no_more_than_its_limit(tmp_path):
    cache = EmbeddingCache(10_000, folder=tmp_path, max_folder_bytes=4000)
    for number in range(5):
        cache.put(key(number), embedding())
    files = list(tmp_path.iterdir())
    assert 1 <= len(files) <= 2
    assert sum(path.stat().st_size for path in files) <= 4000


@pytest.mark.parametrize("damage", [b"", b"no zip at all", b"PK\x03\x04 half"])
def test_a_damaged_file_is_left_out_with_a_warning(tmp_path, caplog, damage):
    EmbeddingCache(10_000, folder=tmp_path).put(key(1), embedding())
    (tmp_path / key(1).filename).write_bytes(damage)
    with caplog.at_level(logging.WARNING):
        assert EmbeddingCache(10_000, folder=tmp_path).get(key(1)) is None
    assert "can't be read" in caplog.text


def test_pickled_arrays_in_the_folder_are_refused(tmp_path, caplog):
    np.savez(tmp_path / "x.npz", image_size=np.array([1, 1]), array_0=np.array([{}], dtype=object))
    (tmp_path / "x.npz").rename(tmp_path / key(1).filename)
    assert EmbeddingCache(10_000, folder=tmp_path).get(key(1)) is None


def test_a_folder_that_can_not_be_written_only_warns(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way", encoding="ascii")
    cache = EmbeddingCache(10_000, folder=tmp_path / "file" / "below")
    cache.put(key(1), embedding())
    assert cache.get(key(1)) is not None
    assert "can't be kept" in caplog.text


def test_many_threads_never_break_the_count():
    cache = EmbeddingCache(5 * 1024)

    def work(seed):
        for number in range(200):
            cache.put(key((number * seed) % 11), embedding())
            cache.get(key(number % 7))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 3, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.nbytes == 1024 * len(cache) <= 5 * 1024


def test_the_digest_depends_on_values_and_shape_but_not_on_memory_order():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    other = image.copy()
    other[0, 0, 0] += 1
    assert image_digest(image) == image_digest(np.asfortranarray(image))
    assert len({image_digest(image), image_digest(other), image_digest(image.reshape(4, 2, 3))}) == 3
