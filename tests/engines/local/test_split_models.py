"""The default model, split as makers of large ones do, is pulled, asked, fitted, verified and removed as one."""

import json
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFReader, GGUFValueType, GGUFWriter

from pluriverse.cli import main

pytestmark = pytest.mark.model
QUESTION = ("ask", "What is a river?", "--with", "duty", "--guidance", "0", "--max-tokens", "12", "--temperature", "0")


def split(model: Path, folder: Path, tensors: int) -> list[Path]:
    """`model` in files of so many tensors each, by the package gguf."""
    reader = GGUFReader(model)
    writer = GGUFWriter(folder / "river.gguf", "llama", split_max_tensors=tensors)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        kind, inner = field.types[0], field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(folder.glob("*.gguf"))


def test_it_is_one_model(
    default_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(*words: str) -> Any:
        code = main([*words, "--json"])
        shown = capsys.readouterr()
        assert code == 0, shown
        return json.loads(shown.out)

    monkeypatch.setenv("PLURIVERSE_STORES", str(default_model.parents[2]))
    folder = tmp_path / "parts"
    folder.mkdir()
    files = split(default_model, folder, 100)
    assert len(files) == 3 and files[0].name == "river-00001-of-00003.gguf"
    call("new", "brook", "--system", "You speak for brooks.", "--base", str(files[1]))
    fitted = call("fit", str(files[0]), "--no-measure")
    made = call("pull", str(files[1]))
    assert (made["name"], made["source"], made["problem"]) == ("river", str(files[0]), None)
    assert made["bytes"] == fitted["bytes"] and abs(made["bytes"] - default_model.stat().st_size) < 4096
    assert [each["name"] for each in call("ls")["models"] if each["name"] == "river"] == ["river"]
    (whole,) = call(*QUESTION, "--base", "small")["replies"]
    for base in ("river", str(files[2])):
        (reply,) = call(*QUESTION, "--base", base)["replies"]
        assert (reply["text"], reply["digest"]) == (whole["text"], made["digest"])
    assert call("verify", "river")["bad"] == []
    call("rm", "river", "--yes")
    assert call("gc")["bytes"] >= made["bytes"]
    assert all(path.exists() for path in files)
