"""Pictures in asks and conversations, through a script that plays an engine which sees them."""

import asyncio
import json
from pathlib import Path

import pytest

from pluriverse import Assistant, Pluriverse, aio
from pluriverse.asking.conversation import Conversation
from pluriverse.assistant import Shelf
from pluriverse.chats.chat import as_markdown, shown
from pluriverse.chats.shelf import ChatShelf
from pluriverse.errors import UnsupportedError, UsageError
from pluriverse.pictures import MOST_PICTURES, picture
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings
from pluriverse.values import Message

from ..engines.local.projectors import pixels, png

SCRIPT = """
images = true
[[rule]]
question = "picture. .picture"
replies = ["I see two."]
[[rule]]
question = "picture"
replies = ["I see one."]
[[rule]]
replies = ["I see none."]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    script = tmp_path / "seeing.toml"
    script.write_text(SCRIPT, "utf-8")
    settings = Settings(home=tmp_path / "home", base=f"scripted:{script}", offline=True)
    Shelf(settings).write(Assistant(name="test-alpha", title="Alpha", system="You are alpha."))
    return settings


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(png(pixels(1)))
    return path


def test_an_ask_shows_them_and_keeps_which_they_were(settings: Settings, cat: Path) -> None:
    with Pluriverse(settings) as pluriverse:
        assert pluriverse.ask("what?", "test-alpha")["test-alpha"].text == "I see none."
        replies = pluriverse.ask("what?", "test-alpha", images=[cat, png(pixels(2))], keep=True)
    assert replies["test-alpha"].text == "I see two."
    first, second = replies.as_dict()["images"]
    assert first == {"digest": picture(cat.read_bytes()).digest, "format": "png", "width": 56, "height": 56,
                     "bytes": cat.stat().st_size}  # fmt: skip
    history = ChatShelf(settings.history_file)
    (kept,) = (history.get(each.id) for each in history.list())
    assert kept.turns[0].record == {"images": [first, second]}
    assert json.dumps(kept.turns[0].record).count(first["digest"]) == 1
    assert f"*[picture: PNG, 56 x 56 pixels, {first['digest'][:19]}]*" in as_markdown(kept)
    assert shown(kept.turns[1]) == []


def test_a_document_without_pictures_is_as_it_was(settings: Settings) -> None:
    with Pluriverse(settings) as pluriverse:
        assert set(pluriverse.ask("what?", "test-alpha").as_dict()) == {"question", "replies", "total_s"}


def test_a_conversation_goes_on_seeing_and_a_resumed_one_knows_what_is_gone(settings: Settings, cat: Path) -> None:
    async def talked() -> tuple[str, list[str], tuple[Message, ...]]:
        async with aio.Pluriverse(settings) as pluriverse:
            chat = pluriverse.chat("test-alpha")
            said = [(await chat.say("what?", cat)).text, (await chat.say("sure?")).text]
            assert chat.id
        async with Workspace(settings) as workspace:
            resumed = Conversation.resumed(workspace, chat.id)
            assert [shown(turn) for turn in resumed.turns][0]
            return chat.id, said, resumed.heard_by(workspace.shelf.assistant("test-alpha"))

    _, said, heard = asyncio.run(talked())
    assert said == ["I see one.", "I see one."]
    assert heard[0] == Message("user", "what?\n\n(1 picture was shown here and cannot be seen any more.)")


def test_who_cannot_see_is_told(settings: Settings, cat: Path, tmp_path: Path) -> None:
    blind = tmp_path / "blind.toml"
    blind.write_text('[[rule]]\nreplies = ["words"]\n', "utf-8")
    with Pluriverse(settings) as pluriverse:
        with pytest.raises(UnsupportedError, match="sees no pictures"):
            pluriverse.ask("what?", "test-alpha", images=cat, base=f"scripted:{blind}")
        with pytest.raises(UnsupportedError, match="it has no projector") as refused:  # and nothing is fetched
            pluriverse.ask("what?", "test-alpha", images=cat, base="better")
        assert "--projector" in str(refused.value.hint)
        with pytest.raises(UsageError, match="the most is"):
            pluriverse.ask("what?", "test-alpha", images=[cat] * (MOST_PICTURES + 1))
