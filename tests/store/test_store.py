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


def test_gc_drops_old_partial_downloads_that_nobody_holds(store: Store, model: StoredModel) -> None:
    old, new, held = (store.home.incoming / f"{name}.part" for name in ("old", "new", "held"))
    for path in (old, new, held):
        path.write_bytes(b"x" * 10)
    for path in (old, held):
        os.utime(path, (time.time() - 8 * 86400,) * 2)
    with store.home.lock("held"):
        assert store.gc().bytes == 10
    assert (old.exists(), new.exists(), held.exists()) == (False, True, True)


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
