"""Twenty conversations that a chat template is filled with, as transformers takes them.

The first ten are what the engine itself gives: roles, texts, and a reply that begins. The rest are what other programs
give too: parts with a type, tools, documents, switches, and orders of roles that templates refuse.
"""

from typing import Any

Conversation = dict[str, Any]
PLAIN = 10  # so many of them, from the first, are plain


def _said(*turns: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in turns]


def _talk(messages: list[dict[str, Any]], reply: bool = True, **more: Any) -> Conversation:
    return {"messages": messages, "tools": None, "documents": None, "add_generation_prompt": reply, **more}


SYSTEM = ("system", "You speak for rivers, and are brief.")
ASKED = ("user", "What do we owe to others?")
SAID = ("assistant", "Clean water.")
AGAIN = ("user", "And why is that?")
CODE = "Fill {{ name }} and {% for x in y %}{# so #}{% endfor %}:\n\n```python\nprint('a\\n', {\"b\": 1})\n```\n"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "level",
            "description": "The water's height at a place <now>.",
            "parameters": {
                "type": "object",
                "properties": {
                    "place": {"type": "string", "description": "Its name, “as written”"},
                    "unit": {"type": "string", "enum": ["m", "ft"], "description": "Unit"},
                },
                "required": ["place"],
            },
            "return": {"type": "number", "description": "Metres"},
        },
    }
]
CALLED = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {
            "id": "abcdefghi",
            "type": "function",
            "function": {"name": "level", "arguments": {"place": "Köln", "unit": "m"}},
        }
    ],
}
GAVE = {"role": "tool", "name": "level", "tool_call_id": "abcdefghi", "content": '{"m": 3.25}'}
DOCUMENTS = [{"title": "Rivers", "text": "The Rhine is 1,230 km long."}, {"title": "Water & law", "text": "“Ours.”"}]


def _parts(*parts: dict[str, str]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


CONVERSATIONS: dict[str, Conversation] = {
    "a question": _talk(_said(ASKED)),
    "with a system prompt": _talk(_said(SYSTEM, ASKED)),
    "turns": _talk(_said(ASKED, SAID, AGAIN)),
    "turns with a system prompt": _talk(_said(SYSTEM, ASKED, SAID, AGAIN, SAID, ASKED)),
    "blanks around": _talk(
        _said(("system", "  Be brief. \n"), ("user", "\n\n Why?\t "), ("assistant", " So.\n"), AGAIN)
    ),
    "marks of HTML": _talk(_said(("user", "Is <b>\"a\" & 'b'</b> > c &amp; d?"))),
    "scripts": _talk(_said(("system", "Réponds. 请回答。"), ("user", "هل الكذب صواب؟ 👩‍👩‍👧 e\u0301 שלום ｜▁ \u200b"))),
    "code and braces": _talk(_said(("user", CODE))),
    "long": _talk(_said(SYSTEM, ("user", "Word after word. " * 500))),
    "thought before": _talk(_said(ASKED, ("assistant", "<think>\nHm.\n</think>\n\nClean water."), AGAIN)),
    "no reply begun": _talk(_said(ASKED, SAID), reply=False),
    "parts": _talk(_parts({"type": "text", "text": "What do we owe"}, {"type": "text", "text": " to others?"})),
    "a picture": _talk(_parts({"type": "image"}, {"type": "text", "text": "What is this?"})),
    "tools": _talk(_said(SYSTEM, ASKED), tools=TOOLS),
    "a tool was called": _talk([*_said(("user", "How high?")), CALLED, GAVE], tools=TOOLS),
    "documents": _talk(_said(ASKED), documents=DOCUMENTS),
    "two questions in a row": _talk(_said(ASKED, AGAIN)),
    "a system prompt in the middle": _talk(_said(ASKED, SAID, SYSTEM, AGAIN)),
    "without thinking": _talk(_said(ASKED), enable_thinking=False, thinking=False),
    "with thinking": _talk(_said(SYSTEM, ASKED, SAID, AGAIN), enable_thinking=True, thinking=True),
}
