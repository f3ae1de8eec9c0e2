"""The works that an assistant's file names: read, checked, written, part of its digest."""

import time
from dataclasses import replace

import pytest

from pluriverse.assistant import Assistant
from pluriverse.assistant.works import MOST
from pluriverse.errors import UsageError
from pluriverse.values import Digest, Work

D1, D2 = (Digest("sha256:" + digit * 64) for digit in "12")
BURKE = Work("burke-reflections", "Reflections", D1, "en", "Edmund Burke", "Dodsley, 1790")
PAINE = Work("paine-rights-of-man", 'The "Rights" of Man\\', D2)


def file(table: str) -> str:
    return f'title = "A"\n[[works]]\n{table}\n'


def test_a_file_reads_back_as_it_was_written() -> None:
    made = Assistant("a", system="Answer.", works=(BURKE, PAINE))
    text = made.to_toml()
    assert text.count("[[works]]") == 2
    assert Assistant.from_toml(text, "a") == made
    assert "works" not in Assistant("a").to_toml()


def test_the_digest_is_of_the_texts() -> None:
    plain, one, both = (Assistant("a", works=works) for works in ((), (BURKE,), (BURKE, PAINE)))
    assert len({plain.digest, one.digest, both.digest}) == 3
    assert Assistant("a", works=(PAINE, BURKE)).digest == both.digest
    assert Assistant("a", works=(replace(BURKE, title="Other"),)).digest == one.digest
    assert plain.digest == Assistant("b").digest


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (f'id = "a"\ndigest = "{D1}"', r"works\[1\] has no title"),
        ('id = "a"\ntitle = "A"', r"works\[1\] has no digest"),
        (f'title = "A"\ndigest = "{D1}"', r"works\[1\] has no id"),
        ('id = "a"\ntitle = "A"\ndigest = "sha256:12"', r"works\[1\].digest: .* is not a digest"),
        (f'id = "a"\ntitle = "A"\nfile = "a.txt"\ndigest = "{D1}"', "'file' in .*works.* is not known"),
        (f'id = "../a"\ntitle = "A"\ndigest = "{D1}"', "cannot be the id of a work"),
        (f'id = "a"\ntitle = "A\\nB"\ndigest = "{D1}"', "one line"),
        (f'id = "a"\ntitle = " "\ndigest = "{D1}"', "has no title"),
        (f'id = "a"\ntitle = "A"\nlanguage = "English"\ndigest = "{D1}"', "no language tag"),
        (f'id = "a"\ntitle = 3\ndigest = "{D1}"', "title must be a text"),
        (
            f'id = "a"\ntitle = "A"\ndigest = "{D1}"\n[[works]]\nid = "a"\ntitle = "B"\ndigest = "{D2}"',
            "two have the id",
        ),
        (f'id = "a"\ntitle = "A"\ndigest = "{D1}"\n[[works]]\nid = "b"\ntitle = "B"\ndigest = "{D1}"', "same text"),
    ],
)
def test_what_does_not_fit_is_told(table: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        Assistant.from_toml(file(table), "a")
    assert caught.value.message.startswith("a.toml: ")


@pytest.mark.parametrize("text", ["works = 3", 'works = ["a"]', '[works]\nid = "a"'])
def test_works_are_tables(text: str) -> None:
    with pytest.raises(UsageError, match="works must be tables"):
        Assistant.from_toml(text, "a")


def test_a_thousand_works_are_the_most_and_read_in_no_time() -> None:
    def named(count: int) -> tuple[Work, ...]:
        return tuple(replace(BURKE, id=f"w{n}", digest=Digest(f"sha256:{n:064x}")) for n in range(count))

    text = Assistant("a", works=named(MOST)).to_toml()
    began = time.perf_counter()
    assert len(Assistant.from_toml(text, "a").works) == MOST
    assert time.perf_counter() - began < 2
    with pytest.raises(UsageError, match="1,001 are named"):
        Assistant("a", works=named(MOST + 1))
