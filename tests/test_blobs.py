"""The content store keeps what it was given, whole, under its own hash, whoever else writes and whatever breaks."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING

import pytest

from kroma_nb.blobs import Blob, BlobStore, sha256_bytes, sha256_file, write_atomic
from kroma_nb.errors import ContentDamaged, FileMissing, WriteFailed

if TYPE_CHECKING:
    from pathlib import Path


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_bytes_come_back_by_their_sha256(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "cache")

    blob = store.put(b"ink", ".png")

    digest = hashlib.sha256(b"ink").hexdigest()
    assert blob == Blob(digest, ".png", 3)
    assert store.get(digest) == store.get(digest, ".png") == b"ink"
    assert files_below(tmp_path) == [f"cache/{digest[:2]}/{digest}.png"]
    assert store.path(digest) == tmp_path / "cache" / blob.name


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    digest = store.put(b"ink", ".png").sha256

    assert not store.has(sha256_bytes(b"other"))
    assert not store.has(digest, ".jpg")
    for method in (store.get, store.path, store.verify):
        with pytest.raises(FileMissing):
            method(sha256_bytes(b"other"))


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63, "*" * 64])
def test_what_is_no_sha256_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    assert not BlobStore(tmp_path).has(name)


@pytest.mark.parametrize("suffix", ["/../x", "png", ".p/g", ".", ".tar.gz"])
def test_a_suffix_that_is_none_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        BlobStore(tmp_path).put(b"ink", suffix)


def test_the_same_bytes_are_written_once(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    first = store.path(store.put(b"ink").sha256).stat()

    second = store.path(store.put(b"ink").sha256).stat()

    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


def test_blobs_are_read_only(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    source = tmp_path / "scene.PNG"
    source.write_bytes(b"pixels")

    blobs = [store.put(b"ink", ".txt"), store.put_file(source)]

    assert [store.path(blob.sha256).stat().st_mode & 0o777 for blob in blobs] == [0o444, 0o444]


def test_a_file_is_stored_with_its_suffix_in_lower_case_and_stays(tmp_path: Path) -> None:
    source = tmp_path / "scene.PNG"
    source.write_bytes(bytes(range(256)) * 20_000)
    store = BlobStore(tmp_path / "store")

    blob = store.put_file(source)

    assert blob == Blob(sha256_bytes(source.read_bytes()), ".png", 5_120_000)
    assert store.get(blob.sha256) == source.read_bytes()
    assert files_below(tmp_path / "store") == [blob.name]


def test_a_file_that_is_there_already_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "scene.png"
    source.write_bytes(b"pixels")
    store = BlobStore(tmp_path / "store")
    store.put_file(source)

    blob = store.put_file(source)

    assert files_below(tmp_path / "store") == [blob.name]


def test_a_missing_file_cannot_be_stored(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="nowhere"):
        BlobStore(tmp_path).put_file(tmp_path / "nowhere.png")


def test_damage_is_found_by_get_and_by_verify(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    blob = store.put(b"ink")
    place = store.path(blob.sha256)
    place.chmod(0o644)
    place.write_bytes(b"inc")

    for method in (store.get, store.verify):
        with pytest.raises(ContentDamaged) as caught:
            method(blob.sha256)
        assert caught.value.found_sha256 == sha256_bytes(b"inc")


def test_a_blob_that_was_cut_is_written_anew(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    place = store.path(store.put(b"ink").sha256)
    place.chmod(0o644)
    place.write_bytes(b"i")

    blob = store.put(b"ink")

    assert store.get(blob.sha256) == b"ink"


def test_a_durable_store_keeps_the_same_bytes(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, durable=True)

    blob = store.put(b"paid", ".png")

    assert store.verify(blob.sha256).read_bytes() == b"paid"


def test_threads_that_write_the_same_bytes_all_succeed(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    payloads = [bytes([index]) * 50_000 for index in range(4)]
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            start.wait()
            for payload in payloads:
                assert store.get(store.put(payload).sha256) == payload
        except BaseException as error:  # noqa: BLE001 - the main thread reports it
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(files_below(tmp_path)) == 4


def test_processes_that_write_the_same_bytes_all_succeed(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from kroma_nb.blobs import BlobStore
        store = BlobStore(Path(sys.argv[1]))
        input()
        for index in range(60):
            payload = bytes([index]) * 30_000
            assert store.get(store.put(payload).sha256) == payload
    """
    writers = [python(code, tmp_path) for _ in range(3)]

    ends = []
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        ends.append((writer.returncode, errors))

    assert ends == [(0, "")] * 3
    assert len(files_below(tmp_path)) == 60
    assert all(sha256_file(path) == path.name for path in tmp_path.glob("??/*"))


def test_a_killed_writer_leaves_no_half_blob_under_a_final_name(tmp_path: Path) -> None:
    code = """
        import itertools, sys
        from pathlib import Path
        from kroma_nb.blobs import BlobStore
        store = BlobStore(Path(sys.argv[1]))
        for index in itertools.count():
            store.put(index.to_bytes(8, "big") * 500_000)
            print(index, flush=True)
    """
    writer = python(code, tmp_path)
    writer.stdout.readline()
    time.sleep(0.05)

    writer.kill()
    writer.communicate(timeout=60)

    blobs = [path for path in tmp_path.glob("??/*") if not path.name.endswith(".part")]
    assert blobs
    assert all(sha256_file(path) == path.name for path in blobs)


def test_what_a_killed_writer_left_is_no_blob_and_is_swept_when_it_is_old(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    blob = store.put(b"ink")
    old, young = (store.path(blob.sha256).parent / f".{blob.sha256}.{name}.part" for name in ("1-a", "2-b"))
    for part in (old, young):
        part.write_bytes(b"in")
    an_hour_ago = time.time() - 3700
    os.utime(old, (an_hour_ago, an_hour_ago))

    removed = store.sweep()

    assert removed == 1
    assert store.path(blob.sha256).name == blob.sha256
    assert young.exists()
    assert not old.exists()


def test_a_full_disk_is_a_write_failure_and_leaves_nothing(tmp_path: Path) -> None:
    code = """
        import resource, signal, sys
        from pathlib import Path
        from kroma_nb.blobs import BlobStore, write_atomic
        from kroma_nb.errors import WriteFailed
        root = Path(sys.argv[1])
        target, source = root / "run.json", root / "scene.png"
        write_atomic(target, b"before")
        source.write_bytes(bytes(1_000_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        store = BlobStore(root / "store")
        for write in (lambda: store.put(bytes(1_000_000)), lambda: store.put_file(source),
                      lambda: write_atomic(target, bytes(1_000_000))):
            try:
                write()
            except WriteFailed as error:
                print(error.cause)
        print(target.read_bytes())
    """
    writer = python(code, tmp_path)

    output, errors = writer.communicate(timeout=60)

    assert errors == ""
    assert output.splitlines() == ["File too large"] * 3 + ["b'before'"]
    assert files_below(tmp_path) == ["run.json", "scene.png"]


def test_an_unwritable_folder_is_a_write_failure(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    code = """
        import os, sys
        from pathlib import Path
        from kroma_nb.blobs import BlobStore, write_atomic
        from kroma_nb.errors import WriteFailed
        os.chdir(sys.argv[1])
        # The administrator may write everywhere, so that the writer has to be somebody else.
        if os.geteuid() == 0:
            os.setuid(65534)
        for write in (lambda: BlobStore(Path(".")).put(b"ink"), lambda: write_atomic(Path("a/b.json"), b"{}")):
            try:
                write()
            except WriteFailed as error:
                print(error.cause)
    """
    writer = python(code, tmp_path)

    output, errors = writer.communicate(timeout=60)

    tmp_path.chmod(0o755)
    assert errors == ""
    assert output.splitlines() == ["Permission denied"] * 2


def test_a_file_where_a_folder_should_be_is_a_write_failure(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"")

    with pytest.raises(WriteFailed) as caught:
        BlobStore(tmp_path / "store").put(b"ink")

    assert str(tmp_path / "store") in str(caught.value)


def test_an_atomic_write_replaces_and_makes_folders(tmp_path: Path) -> None:
    target = tmp_path / "runs" / "one" / "run.json"

    write_atomic(target, b"first")
    write_atomic(target, b"second", durable=True)

    assert target.read_bytes() == b"second"
    assert files_below(tmp_path) == ["runs/one/run.json"]


def test_a_reader_never_meets_half_of_an_atomic_write(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    versions = [bytes([letter]) * 300_000 for letter in b"ab"]
    write_atomic(target, versions[0])
    done = threading.Event()

    def write() -> None:
        for index in range(60):
            write_atomic(target, versions[index % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(target.read_bytes())
    writer.join()

    assert seen <= set(versions)


def test_the_hash_of_a_missing_file_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        sha256_file(tmp_path / "nowhere")
