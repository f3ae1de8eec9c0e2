"""The manifests of models, adapters and assistants, in the words of the CNCF ModelPack specification v0.0.7.

Pure functions between facts and OCI documents. Knows no disk. What that specification has no words for stands in
annotations under `org.pluriverse.`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..values import Digest
from .gguf import Header

Document = dict[str, Any]
Kind = Literal["model", "adapter"]

MODEL_TYPE = "application/vnd.cncf.model.manifest.v1+json"
CONFIG_TYPE = "application/vnd.cncf.model.config.v1+json"
WEIGHT_TYPE = "application/vnd.cncf.model.weight.v1.raw"
ASSISTANT_TYPE = "application/vnd.pluriverse.assistant.manifest.v1+json"
ASSISTANT_LAYER = "application/vnd.pluriverse.assistant.v1+toml"
WORK_TYPE = "application/vnd.pluriverse.work.manifest.v1+json"
WORK_CONFIG = "application/vnd.pluriverse.work.v1+json"
WORK_PART = "application/vnd.pluriverse.work.part.v1"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"

P = "org.pluriverse."
# llama.cpp's general.file_type, from its include/llama.h (enum llama_ftype)
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16",
}  # fmt: skip
_SHOWN = 200  # characters


@dataclass(frozen=True, slots=True)
class StoredProjector:
    """What lets a model see: a second file, which belongs to it."""

    digest: Digest
    bytes: int
    path: Path
    source: str | None  # where its bytes came from

    def as_dict(self) -> Document:
        return {"digest": self.digest, "bytes": self.bytes, "source": self.source, "path": str(self.path)}


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model or adapter that is whole and on this machine."""

    name: str
    digest: Digest
    bytes: int
    kind: Kind
    path: Path
    architecture: str | None
    parameters: int | None
    quantization: str | None
    context_length: int | None  # tokens
    licence: str | None
    source: str | None  # where its bytes came from
    store: Path
    annotations: Mapping[str, str] = field(default_factory=dict)
    projector: StoredProjector | None = None


def facts(header: Header) -> Document:
    """What a GGUF header says of a model, in the fields of a ModelPack config."""
    metadata = header.metadata
    architecture = _short(metadata.get("general.architecture"))
    parameters = 0
    for tensor in header.tensors:
        values = 1
        for length in tensor.shape:
            values *= length
        parameters += values
    return {
        "architecture": architecture,
        "format": "gguf",
        "paramSize": str(parameters),
        "quantization": _FILE_TYPES.get(metadata.get("general.file_type", -1)),
        "contextLength": metadata.get(f"{architecture}.context_length"),
    }


def _short(value: Any) -> str | None:
    """What a stranger's file says, where it is a text that a list can show."""
    return value if isinstance(value, str) and len(value) <= _SHOWN and value.isprintable() else None


def kind_of(header: Header) -> Kind:
    return "adapter" if header.metadata.get("general.type") == "adapter" else "model"


def config(name: str, digest: Digest, header: Header, licence: str | None) -> Document:
    known = {key: value for key, value in facts(header).items() if value is not None}
    licence = licence or _short(header.metadata.get("general.license"))
    descriptor = {"name": name} | ({"licenses": [licence]} if licence else {})
    return {"descriptor": descriptor, "config": known, "modelfs": {"type": "layers", "diffIds": [digest]}}


def model(config: tuple[Digest, int], weights: tuple[Digest, int], file: str, annotations: dict[str, str]) -> Document:
    """`config` and `weights` are (digest, size in bytes) of the blobs."""
    role = {P + "role": annotations.get(P + "role", "model")}
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": MODEL_TYPE,
        "config": {"mediaType": CONFIG_TYPE, "digest": config[0], "size": config[1]},
        "layers": [
            {
                "mediaType": WEIGHT_TYPE,
                "digest": weights[0],
                "size": weights[1],
                "annotations": {"org.cncf.model.filepath": file, **role},
            }
        ],
        "annotations": annotations,
    }


def with_projector(manifest: Document, projector: Document) -> Document:
    """The manifest of a model with the layer of its projector, in the place of another's if it has one."""
    return {**manifest, "layers": [manifest["layers"][0], projector]}


def projector_layer(projector: tuple[Digest, int], name: str, source: str) -> Document:
    """`projector`: (digest, size in bytes); `name`: of the model that it belongs to."""
    return {
        "mediaType": WEIGHT_TYPE,
        "digest": projector[0],
        "size": projector[1],
        "annotations": {
            "org.cncf.model.filepath": f"{name}.mmproj.gguf",
            P + "role": "projector",
            P + "source": source,
        },
    }


def projector_of(manifest: Document) -> Document | None:
    """The layer of a model's projector."""
    return next((each for each in manifest["layers"][1:] if each["annotations"].get(P + "role") == "projector"), None)


def assistant(toml: tuple[Digest, int], empty: tuple[Digest, int], annotations: dict[str, str]) -> Document:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": ASSISTANT_TYPE,
        "config": {"mediaType": EMPTY_TYPE, "digest": empty[0], "size": empty[1]},
        "layers": [{"mediaType": ASSISTANT_LAYER, "digest": toml[0], "size": toml[1]}],
        "annotations": annotations,
    }


def work_config(work: Document, file: Document | None) -> Document:
    """`work` and the `file` that it was read from: the fields of `values.Work` and `works.Origin`."""
    return {"work": work} | ({"file": file} if file else {})


def work(config: tuple[Digest, int], parts: Mapping[str, tuple[Digest, int]]) -> Document:
    """`parts`: (digest, size in bytes) of each blob, by the name of the part."""
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": WORK_TYPE,
        "config": {"mediaType": WORK_CONFIG, "digest": config[0], "size": config[1]},
        "layers": [
            {"mediaType": WORK_PART, "digest": digest, "size": size, "annotations": {P + "part": part}}
            for part, (digest, size) in sorted(parts.items())
        ],
    }


def parts(manifest: Document) -> dict[str, tuple[Digest, int]]:
    """What `work` was given: (digest, size) by the name of the part."""
    return {each["annotations"][P + "part"]: (Digest(each["digest"]), each["size"]) for each in manifest["layers"]}


def stored(name: str, manifest: Document, config: Document, store: Path, path: Callable[[Digest], Path]) -> StoredModel:
    """`path`: where a blob of it lies."""
    layer, given, annotations = manifest["layers"][0], config.get("config", {}), manifest.get("annotations", {})
    parameters = given.get("paramSize", "")
    return StoredModel(
        name=name,
        digest=Digest(layer["digest"]),
        bytes=layer["size"],
        kind="adapter" if annotations.get(P + "role") == "adapter" else "model",
        path=path(Digest(layer["digest"])),
        architecture=given.get("architecture"),
        parameters=int(parameters) if parameters.isdecimal() else None,
        quantization=given.get("quantization"),
        context_length=given.get("contextLength"),
        licence=next(iter(config.get("descriptor", {}).get("licenses", [])), None),
        source=annotations.get(P + "source"),
        store=store,
        annotations=annotations,
        projector=_projector(projector_of(manifest), path),
    )


def _projector(layer: Document | None, path: Callable[[Digest], Path]) -> StoredProjector | None:
    if layer is None:
        return None
    digest = Digest(layer["digest"])
    return StoredProjector(digest, layer["size"], path(digest), layer["annotations"].get(P + "source"))


def blobs(manifest: Document) -> list[tuple[Digest, int]]:
    """(digest, size) of everything a manifest needs."""
    return [(Digest(each["digest"]), each["size"]) for each in (manifest["config"], *manifest["layers"])]
