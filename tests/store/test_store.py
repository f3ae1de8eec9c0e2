"""Names, digests, other stores, verify, rm and gc."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from pluriverse.errors import IntegrityError, NotFoundError, PluriverseError
from pluriverse.store import Store, StoredModel, Verified, VerifyProgress
from pluriverse.values import PathSource

from .conftest import Puller, digest, gguf


@pytest.fixture
def model(puller: Puller, store: Store, tmp_path: Path) -> StoredModel:
    return add(puller, store, tmp_path, "tiny")


def add(puller: Puller, store: Store, tmp_path: Path, name: str, values: int = 4096) -> StoredModel:
    path = tmp_path / f"{name}.gguf"
    path.write_bytes(gguf(values))
    puller(None, PathSource(path), name=name)
    path.unlink()  # the store's own link remains
    return store.find(name)


def verified(store: Store, *names: str) -> Verified:
    *steps, last = store.verify(names)
    assert isinstance(last, Verified) and all(isinstance(step, VerifyProgress) for step in steps)
    return last


def test_the_store_is_an_oci_image_layout(model: StoredModel, store: Store) -> None:
    """As oras, skopeo and the like read it: everything reachable from index.json, by digest and size."""
    root = store.home.root
    assert json.loads((root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((root / "index.json").read_text())
    assert index["schemaVersion"] == 2
    (entry,) = index["manifests"]
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == "tiny"
    manifest = json.loads(blob(root, entry))
    assert manifest["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    assert json.loads(blob(root, manifest["config"]))["config"]["format"] == "gguf"
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.cncf.model.weight.v1.raw"
    assert blob(root, layer) == gguf()


def blob(root: Path, descriptor: dict[str, object]) -> bytes:
    kind, _, hex = str(descriptor["digest"]).partition(":")
    data = (root / "blobs" / kind / hex).read_bytes()
    assert len(data) == descriptor["size"] and hashlib.sha256(data).hexdigest() == hex
    return data


def test_found_by_name_digest_and_its_beginning(model: StoredModel, store: Store) -> None:
    for reference in ("tiny", model.digest, model.digest.hex, model.digest.hex[:12]):
        assert store.find(reference) == model
    for reference in ("tinny", model.digest.hex[:11], "sha256:" + "0" * 64):
        with pytest.raises(NotFoundError):
            store.find(reference)
    with pytest.raises(NotFoundError) as error:
        store.find("tinny")
    assert error.value.hint == "did you mean tiny?"


def test_a_store_that_does_not_exist_is_empty_and_stays_away(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert store.models() == []
    assert verified(store).checked == 0
    assert store.gc().blobs == 0
    assert not (tmp_path / "none").exists()


def test_verify_reads_every_byte(model: StoredModel, store: Store) -> None:
    result = verified(store)
    assert (result.checked, result.bad) == (3, ())
    assert result.bytes > model.bytes


@pytest.mark.parametrize(
    ("damage", "problem"),
    [("flip", "has been changed"), ("cut", "instead of"), ("remove", "is missing"), ("grow", "instead of")],
)
def test_verify_finds_damage(model: StoredModel, store: Store, damage: str, problem: str) -> None:
    data = model.path.read_bytes()
    model.path.chmod(0o644)
    match damage:
        case "flip":
            model.path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
        case "cut":
            model.path.write_bytes(data[:-1])
        case "grow":
            model.path.write_bytes(data + b"x")
        case "remove":
            model.path.unlink()
    (bad,) = verified(store, "tiny").bad
    assert bad.name == "tiny" and bad.digest == model.digest and problem in bad.problem


def test_verify_finds_a_damaged_manifest(model: StoredModel, store: Store) -> None:
    entry = store.home.index()[0]
    path = store.home.blobs / entry["digest"][7:]
    path.write_bytes(path.read_bytes().replace(b"tiny", b"tony"))
    (bad,) = verified(store).bad
    assert "changed" in bad.problem


def test_verify_of_an_unknown_name_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError):
        list(store.verify(["nobody"]))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"manifests": [{"digest": "sha256:../../x"}]}', '{"manifests": 1}']
)
def test_a_garbled_index_is_told_not_trusted(store: Store, model: StoredModel, content: str) -> None:
    (store.home.root / "index.json").write_text(content)
    with pytest.raises(IntegrityError, match="garbled"):
        store.models()


def test_rm_forgets_the_name_and_gc_the_bytes(puller: Puller, store: Store, tmp_path: Path) -> None:
    add(puller, store, tmp_path, "tiny")
    other = add(puller, store, tmp_path, "other", values=5000)
    removed = store.remove("tiny")
    assert removed.bytes > 16_000
    assert [model.name for model in store.models()] == ["other"]
    collected = store.gc()
    assert collected.bytes == removed.bytes and collected.blobs == 3
    assert verified(store).bad == () and other.path.exists()


def test_bytes_that_another_name_needs_stay(puller: Puller, store: Store, tmp_path: Path) -> None:
    model = add(puller, store, tmp_path, "tiny")
    add(puller, store, tmp_path, "twin")
    store.remove("tiny")
    store.gc()
    assert store.find("twin").path == model.path and model.path.exists()


def unfinished(store: Store) -> int:
    """One of each that a killed pull may leave, of today and of eight days ago. Their bytes, half of them old."""
    incoming = store.home.incoming
    for age in (0, 8):
        time_then = (time.time() - age * 86400,) * 2
        wheel = incoming / f"a{age}.scratch" / "carrier-1.0" / "temporary" / "half.whl"
        wheel.parent.mkdir(parents=True)
        older = incoming / f"carrier-{age}.0" / "carrier.whl"  # where earlier versions put them
        older.parent.mkdir()
        for path in (*(incoming / f"b{age}.{end}" for end in ("part", "link")), wheel, older):
            path.write_bytes(b"x" * 10)
            os.utime(path, time_then)
            os.utime(path.parent, time_then)
        (incoming / f"b{age}.note").write_text("{}")
        os.utime(incoming / f"b{age}.note", time_then)
    return 80


def test_gc_frees_all_unfinished_work(store: Store, model: StoredModel) -> None:
    before = set(store.home.incoming.rglob("*"))
    count = unfinished(store)
    collected = store.gc()
    assert (collected.bytes, collected.unfinished_bytes, collected.unfinished) == (count, count, 8)
    assert {path.suffix for path in set(store.home.incoming.rglob("*")) - before} == {".lock"}
    assert model.path.exists() and verified(store).bad == ()


def test_gc_keeps_the_younger_where_asked(store: Store, model: StoredModel) -> None:
    count = unfinished(store)
    assert store.gc(keep_partial_days=7).bytes == count / 2
    assert (store.home.incoming / "b0.part").exists() and not (store.home.incoming / "b8.part").exists()


def test_gc_leaves_what_a_process_holds(store: Store, model: StoredModel) -> None:
    count = unfinished(store)
    with store.home.lock("b0"), store.home.lock("a8"):
        assert store.gc().bytes == count - 30
    assert (store.home.incoming / "b0.part").exists()


def test_gc_counts_no_byte_that_it_does_not_free(puller: Puller, store: Store, tmp_path: Path) -> None:
    """A file that was linked into the store is still the user's own."""
    path = tmp_path / "mine.gguf"
    path.write_bytes(gguf())
    puller(None, PathSource(path))
    removed = store.remove("tiny")
    assert removed.bytes == store.gc().bytes < 5000
    assert path.read_bytes() == gguf()


def test_what_lies_beside_is_read_and_never_written(puller: Puller, store: Store, tmp_path: Path) -> None:
    add(puller, store, tmp_path, "tiny")
    home = Store(tmp_path / "second", (store.home.root,))
    assert home.find("tiny").store == store.home.root
    assert verified(home).checked == 3
    with pytest.raises(PluriverseError, match="only read"):
        home.remove("tiny")
    assert not (tmp_path / "second").exists()


def test_an_assistants_definition_is_kept_under_its_digest(store: Store, model: StoredModel) -> None:
    text = 'title = "Ada"\nsystem = "You are Ada."\n'
    kept = store.put_assistant("ada", text, model.digest)
    manifest = store.home.document(kept)
    assert manifest["annotations"]["org.pluriverse.base.digest"] == model.digest
    assert blob(store.home.root, manifest["layers"][0]).decode() == text
    assert digest(text.encode()) == manifest["layers"][0]["digest"]
    assert [each.name for each in store.models()] == ["tiny"]
    assert verified(store).bad == ()
    store.gc()
    assert store.home.has(kept)
    store.forget_assistant("ada")
    store.gc()
    assert not store.home.has(kept) and store.find("tiny") == model
