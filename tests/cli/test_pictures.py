"""`pull --projector` and `ask --image`: a tiny model that sees, from its file to what is kept of its answer."""

from pathlib import Path

import pytest

from ..engines.local import architectures, projectors
from .conftest import Call


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    cat = tmp_path / "cat.png"
    cat.write_bytes(projectors.png(projectors.pixels(1, 90, 60)))
    model = architectures.write(tmp_path / "seer.gguf", "llama")
    return {"model": str(model), "projector": str(projectors.llava(tmp_path / "mmproj.gguf")), "cat": str(cat)}


def test_a_model_with_its_projector_is_asked_about_a_picture(call: Call, files: dict[str, str]) -> None:
    assert call("pull", files["model"], "--json").document["projector"] is None
    call("new", "test-alpha", "--system", "you are a")
    asked = (
        "ask",
        "what is it?",
        "--with",
        "test-alpha",
        "--base",
        "seer",
        "--image",
        files["cat"],
        "--max-tokens",
        "4",
    )
    blind = call(*asked)
    assert blind.code == 1
    assert "seer sees no pictures: it has no projector" in blind.err
    assert "pluriverse pull model.gguf --projector mmproj.gguf" in blind.err

    pulled = call("pull", files["model"], "--projector", files["projector"], "--json").document
    assert pulled["projector"]["bytes"] == Path(files["projector"]).stat().st_size
    (model,) = call("ls", "--json").document["models"]
    assert model["projector"]["digest"] == pulled["projector"]["digest"]
    assert "with a projector of" in call("show", "seer").out
    fit = call("fit", "seer", "--no-measure", "--json").document
    assert fit["bytes"] == sum(Path(files[each]).stat().st_size for each in ("model", "projector"))

    answered = call(*asked, "--json").document
    assert answered["images"][0]["width"] == 90
    assert answered["replies"][0]["completion_tokens"] == 4
    assert "[picture: PNG, 90 x 60 pixels, sha256:" in call("history", "show", answered["id"]).out


def test_a_file_that_is_no_picture_is_told_before_anybody_is_asked(call: Call, tmp_path: Path) -> None:
    page = tmp_path / "page.pdf"
    page.write_bytes(b"%PDF-1.7 and so on")
    asked = call("ask", "what?", "--image", str(page), "--json")
    assert asked.code == 2
    assert "PDF" in asked.document["error"]["message"]
    assert call("ask", "what?", "--image", str(tmp_path / "none.png")).code == 1
