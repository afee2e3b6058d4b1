"""Every source of a corpus, and the files after an acquisition. All traffic is loopback."""

from __future__ import annotations

import errno
import os
import re
import sys
import threading
from pathlib import Path

import pytest
from acquisition import NAMES, WRONG, Place, listing, sha256
from publisher import TEST, TRAIN, Server, says, sends

from bert_ner.corpus import acquire as acquire_module
from bert_ner.corpus import download
from bert_ner.corpus.acquire import ChecksumMismatch, CorpusUnavailable, acquire, check_acquired
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from bert_ner.files import cache_folder, write_whole


def offline(corpus: Corpus, **changes: object) -> Corpus:
    """Return the corpus without the addresses of its files, and with other changes of them."""
    files = {part: file.model_copy(update={"url": None, **changes}) for part, file in corpus.files.items()}
    return corpus.model_copy(update=files)


# The download


def test_a_download_is_complete_and_cached(place: Place, server: Server) -> None:
    assert place.acquire() == {name: f"{server.url}/{name}" for name in ("train.bio", "test.bio")}
    place.assert_whole()
    assert server.requests == [("/train.bio", None), ("/test.bio", None)]
    assert listing(place.cache) == NAMES
    assert cache_folder("corpora") / "films" == place.cache


def test_a_cached_file_is_not_downloaded_again(place: Place, server: Server) -> None:
    place.acquire()
    asked = len(server.requests)
    assert place.acquire() == place.sources("download cache")
    assert len(server.requests) == asked
    place.assert_whole()


def test_wrong_bytes_are_not_saved_and_the_message_has_both_sums(place: Place, server: Server) -> None:
    server.behaviours["/train.bio"] = [sends(WRONG)]
    with pytest.raises(ChecksumMismatch) as caught:
        place.acquire()
    message = str(caught.value)
    assert message.startswith(f"{server.url}/train.bio is not the train.bio that")
    assert f"found    {sha256(WRONG)}" in message
    assert f"expected {sha256(TRAIN)}" in message
    assert "run again" in message
    place.assert_untouched()
    assert not listing(place.cache)
    assert server.requests == [("/train.bio", None)]


def test_both_files_or_neither(place: Place, server: Server) -> None:
    server.behaviours["/test.bio"] = [sends(WRONG)]
    with pytest.raises(ChecksumMismatch, match=r"test\.bio"):
        place.acquire()
    place.assert_untouched()
    assert listing(place.cache) == ["train.bio"]


def test_a_cache_that_cannot_be_written_is_reported_and_does_no_harm(place: Place, server: Server) -> None:
    (place.root / "cache").write_text("a file in the way")
    assert f"{server.url}/train.bio (not cached, because {place.cache}" in place.acquire()["train.bio"]
    place.assert_whole()


# The sources


def test_the_sources_are_tried_in_order(place: Place, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    place.acquire()
    assert place.acquire() == place.sources("download cache")
    place.fill(place.shared / "corpora" / "films")
    assert place.acquire() == place.sources(str(place.shared / "corpora"))
    place.fill(place.variable / "films")
    monkeypatch.setenv("BERT_NER_CORPORA", str(place.variable))
    assert place.acquire() == place.sources("folder $BERT_NER_CORPORA")
    (place.variable / "films" / "test.bio").unlink()
    assert place.acquire() == {
        "train.bio": "folder $BERT_NER_CORPORA",
        "test.bio": str(place.shared / "corpora"),
    }
    assert len(server.requests) == 2
    place.assert_whole()


def test_the_shared_folder_is_next_to_the_working_directory(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.fill(place.shared / "corpora" / "films")
    (place.root / "checkout").mkdir()
    monkeypatch.chdir(place.root / "checkout")
    assert acquire(place.corpus, Path("data", "raw", "films")) == place.sources(str(Path("..", "shared", "corpora")))
    assert listing(Path("data", "raw", "films")) == NAMES


@pytest.mark.parametrize("mirror", ["variable", "shared"])
def test_a_wrong_file_in_a_mirror_is_an_error_at_once(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch, mirror: str
) -> None:
    folder = place.variable / "films" if mirror == "variable" else place.shared / "corpora" / "films"
    place.fill(folder, test=WRONG)
    monkeypatch.setenv("BERT_NER_CORPORA", str(place.variable))
    with pytest.raises(ChecksumMismatch) as caught:
        place.acquire()
    message = str(caught.value)
    assert f"{folder / 'test.bio'} is not the test.bio that" in message
    assert sha256(WRONG) in message
    assert sha256(TEST) in message
    assert ("unset BERT_NER_CORPORA" in message) == (mirror == "variable")
    assert (folder / "test.bio").read_bytes() == WRONG, "a user's file stays"
    place.assert_untouched()
    assert not server.requests


def test_a_wrong_file_in_the_cache_is_removed(place: Place, server: Server) -> None:
    place.fill(place.cache, train=WRONG)
    with pytest.raises(
        ChecksumMismatch, match=f"(?s)download cache: .*{sha256(WRONG)}.*{sha256(TRAIN)}.*run again"
    ) as caught:
        place.acquire()
    place.assert_untouched()
    assert listing(place.cache) == ["test.bio"]
    assert not server.requests
    assert isinstance(caught.value, RuntimeError)
    place.acquire()
    place.assert_whole()


def test_an_unavailable_corpus_lists_every_source_and_the_remedy(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behaviours["/train.bio"] = [says(404)]
    with pytest.raises(CorpusUnavailable) as caught:
        place.acquire()
    missing = os.strerror(errno.ENOENT)
    assert str(caught.value).splitlines() == [
        "films/train.bio is unavailable. Tried, in this order:",
        "  - $BERT_NER_CORPORA is not set",
        f"  - {place.shared / 'corpora' / 'films' / 'train.bio'}: {missing}",
        f"  - download cache: {place.cache / 'train.bio'}: {missing}",
        f"  - {server.url}/train.bio: HTTP 404 Not Found",
        "Set BERT_NER_CORPORA to a folder that holds films/train.bio and films/test.bio, or go online; then run again.",
    ]
    assert isinstance(caught.value, BertNerError)
    assert isinstance(caught.value, RuntimeError)
    assert not (place.root / "data").exists()
    monkeypatch.setenv("BERT_NER_CORPORA", str(place.variable))
    path = place.variable / "films" / "train.bio"
    with pytest.raises(CorpusUnavailable, match=re.escape(f"folder $BERT_NER_CORPORA: {path}: {missing}")):
        place.acquire()


def test_a_corpus_without_an_address_comes_from_a_folder(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.corpus = offline(place.corpus)
    with pytest.raises(CorpusUnavailable) as caught:
        place.acquire()
    assert str(caught.value).splitlines()[-2:] == [
        "  - its publisher: the corpus's YAML file has no address of it",
        f"Set BERT_NER_CORPORA to a folder that holds films/train.bio and films/test.bio, or put the file into "
        f"{place.corpus.folder}; then run again.",
    ]
    place.fill(place.variable / "films", test=WRONG)
    monkeypatch.setenv("BERT_NER_CORPORA", str(place.variable))
    with pytest.raises(ChecksumMismatch, match="put the sum that was found into the corpus's YAML file"):
        place.acquire()
    place.fill(place.variable / "films")
    assert place.acquire() == place.sources("folder $BERT_NER_CORPORA")
    place.assert_whole()
    place.fill(Path(place.corpus.folder))
    assert place.acquire() == place.sources(place.corpus.folder)
    assert not server.requests


def test_a_file_without_a_sum_is_taken_as_it_is(place: Place) -> None:
    place.corpus = offline(place.corpus, sha256=None)
    place.fill(Path(place.corpus.folder), test=WRONG)
    place.acquire()
    assert (place.folder / "test.bio").read_bytes() == WRONG
    check_acquired(place.corpus, place.folder, "run it again")


# The generated corpus


@pytest.fixture
def generated(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    place.corpus = offline(place.corpus).model_copy(update={"is_generated": True})
    monkeypatch.setattr("bert_ner.corpus.sample.write_sample", place.fill)
    return place


def test_the_generated_corpus_is_generated(generated: Place, server: Server) -> None:
    assert generated.acquire() == generated.sources("generated")
    generated.assert_whole()
    assert not server.requests


def test_a_generator_that_changed_is_a_wrong_sum(generated: Place) -> None:
    other = generated.corpus.test.model_copy(update={"sha256": sha256(WRONG)})
    generated.corpus = generated.corpus.model_copy(update={"test": other})
    with pytest.raises(ChecksumMismatch, match=r"the generator is not the test\.bio that"):
        generated.acquire()
    generated.assert_untouched()


# The folder


def test_old_files_are_replaced_and_other_files_stay(place: Place) -> None:
    place.fill(place.folder, train=WRONG, test=WRONG)
    (place.folder / "notes.txt").write_text("mine")
    place.acquire()
    assert (place.folder / "train.bio").read_bytes() == TRAIN
    assert listing(place.folder) == ["notes.txt", *NAMES]


def test_old_files_survive_a_failure(place: Place, server: Server) -> None:
    place.acquire()
    (place.cache / "test.bio").unlink()
    server.behaviours["/test.bio"] = [says(404)]
    with pytest.raises(CorpusUnavailable):
        place.acquire()
    place.assert_whole()


def test_a_folder_that_cannot_take_the_second_file_does_not_keep_the_first(place: Place) -> None:
    (place.folder / "test.bio").mkdir(parents=True)
    with pytest.raises(BertNerError, match=re.escape(f"{place.folder} can't be written: ")):
        place.acquire()
    assert listing(place.folder) == ["test.bio"]
    assert listing(place.folder.parent) == ["films"]


def test_a_full_disk_leaves_the_folder_unchanged(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.acquire()  # so that the cache has both
    (place.folder / "train.bio").write_bytes(WRONG)

    def full(path: Path, content: bytes) -> None:
        if path.name == "test.bio":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_whole(path, content)

    monkeypatch.setattr(acquire_module, "write_whole", full)
    with pytest.raises(BertNerError, match="No space left on device"):
        place.acquire()
    assert (place.folder / "train.bio").read_bytes() == WRONG
    assert listing(place.folder.parent) == ["films"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_the_files_are_readable_by_others(place: Place) -> None:
    before = os.umask(0o022)
    try:
        place.acquire()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in place.folder.iterdir()} == {0o644}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows refuses to replace a file while another process moves one")
def test_concurrent_acquisitions_do_not_harm_each_other(
    place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "READ_TIMEOUT", 5.0)
    server.behaviours["/train.bio"] = [sends(TRAIN, cut=1_000), sends(TRAIN, cut=700), sends(TRAIN)]
    errors: list[BaseException] = []

    def work() -> None:
        try:
            place.acquire()
        except BaseException as error:  # noqa: BLE001 - a thread's error would be lost
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not errors
    place.assert_whole()
    assert listing(place.cache) == NAMES
