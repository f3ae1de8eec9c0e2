"""What is written as an address: taken, or refused with what to write."""

import pytest

from pluriverse.errors import UsageError
from pluriverse.store.sources.http import Web
from pluriverse.values import UrlSource

SUM = "0" * 64


def test_an_address_may_say_its_digest() -> None:
    found = Web().parse(f"https://example.org/a%20b/m.gguf#sha256={SUM}")
    assert found and found.sources == (UrlSource("https://example.org/a%20b/m.gguf"),)
    assert found.digest == f"sha256:{SUM}" and Web().parse("ftp://example.org/m.gguf") is None


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("https://example.org/m.gguf#md5=1", "'md5=1' after the address is not understood"),
        ("https://[example.org/m.gguf", "is no address"),
        ("https://example.org:99999/m.gguf", "is no address"),
        ("https:///m.gguf", "names no host"),
        (f"https://example.org/m-00001-of-00002.gguf#sha256={SUM}", "one part of a split model"),
    ],
)
def test_what_is_no_address_is_told(ref: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Web().parse(ref)
