"""Servers that break, change their files and answer what was not asked: no pull ever mixes the bytes of two files."""

import contextlib
import gzip
import importlib.util
from dataclasses import replace

import pytest

from pluriverse.errors import IntegrityError, PluriverseError, UnreachableError
from pluriverse.store import StartedOver, Store
from pluriverse.values import UrlSource

from .conftest import Puller, gguf
from .servers import NEW, OLD, Habits, Handler, Serve

RANGES = ("right", "none", "early", "late", "garbled", "total", "star", "missing", "never")
MARKED = [(mark, ranges) for mark in ("etag", "date") for ranges in RANGES]
UNMARKED = [(mark, ranges) for mark in ("weak", "young", "none") for ranges in ("right", "missing")]


@pytest.mark.parametrize(("mark", "ranges"), MARKED + UNMARKED)
def test_two_files_are_never_mixed(serve: Serve, puller: Puller, store: Store, ranges: str, mark: str) -> None:
    """With no digest to check against: the whole of one file, or a sentence; also where a first pull gave up."""
    for heeds, length, breaks in ((True, "none", 1), (False, "right", 4)):
        habits = Habits(mark=mark, ranges=ranges, heeds=heeds, length=length, breaks=breaks)
        url = serve(habits)
        for _ in range(2):
            with contextlib.suppress(UnreachableError, IntegrityError):
                puller(None, UrlSource(url))
                break
        for model in store.models():
            assert model.path.read_bytes() in (OLD, NEW), habits
        assert len(habits.asked) < 20
        store.models() and store.remove("tiny")


@pytest.mark.parametrize("mark", ["etag", "date"])
def test_what_has_not_changed_goes_on(serve: Serve, puller: Puller, store: Store, mark: str) -> None:
    habits = Habits(changes=False, mark=mark, heeds=True)
    puller(None, UrlSource(serve(habits)))
    assert store.find("tiny").path.read_bytes() == OLD
    assert [wanted for wanted, _ in habits.asked] == [None, f"bytes={habits.cut}-"]
    assert habits.asked[1][1] in habits.marks().values()


@pytest.mark.parametrize("heeds", [True, False])
def test_a_changed_file_begins_anew_and_says_so(serve: Serve, puller: Puller, store: Store, heeds: bool) -> None:
    puller(None, UrlSource(serve(Habits(heeds=heeds))))
    assert store.find("tiny").path.read_bytes() == NEW
    assert len([event for event in puller.events if isinstance(event, StartedOver)]) == 1


def test_a_mark_that_is_sent_no_more_is_no_mark(serve: Serve, puller: Puller, store: Store) -> None:
    """A piece that says nothing of the file it is of is only taken where a digest will tell."""
    habits = Habits(changes=False)
    habits.marks = lambda: {"etag": '"old"'} if len(habits.asked) == 1 else {}  # type: ignore[method-assign]
    url = serve(habits)
    puller(None, UrlSource(url))
    assert [wanted for wanted, _ in habits.asked] == [None, "bytes=90000-", None]
    habits.asked.clear()
    store.remove("tiny"), store.gc()
    puller(OLD, UrlSource(url))
    assert [wanted for wanted, _ in habits.asked] == [None, "bytes=90000-"]


def test_a_refused_range_is_asked_three_times_at_most(serve: Serve, puller: Puller) -> None:
    habits = Habits(ranges="never", breaks=99)
    with pytest.raises(UnreachableError):
        puller(OLD, UrlSource(serve(habits)))
    assert len(habits.asked) <= 6


def test_a_part_that_is_longer_than_the_file_begins_anew(serve: Serve, puller: Puller, store: Store) -> None:
    for data in (None, OLD):
        url = serve(Habits(changes=False, breaks=0))
        part = store.home.incoming / f"{_key(data)}.part"
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(OLD + b"more")
        part.with_suffix(".note").write_text(f'{{"source": "{url}", "validator": "\\"old\\"", "total": {len(OLD)}}}')
        assert puller(data, UrlSource(url)).resumed_bytes == 0
        assert store.find("tiny").path.read_bytes() == OLD
        store.remove("tiny"), store.gc()


def test_a_part_that_is_whole_is_not_fetched_again(serve: Serve, puller: Puller, store: Store) -> None:
    habits = Habits(changes=False, breaks=0)
    part = store.home.incoming / f"{_key(OLD)}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(OLD)
    assert puller(OLD, UrlSource(serve(habits))).resumed_bytes == len(OLD)
    assert habits.asked == [(f"bytes={len(OLD)}-", None)]


def _key(data: bytes | None) -> str:
    from pluriverse.store.pulling import _key
    from pluriverse.values import Pullable

    from .conftest import digest

    return _key(Pullable("the-ref", "tiny", (), digest(data) if data else None))


def test_a_part_of_another_address_is_not_gone_on_with(serve: Serve, puller: Puller, store: Store) -> None:
    """Both say `"old"`, and have nothing to do with each other."""
    first = Habits(changes=False, breaks=9, ranges="none")
    with pytest.raises(UnreachableError):
        puller(None, UrlSource(serve(first)))
    second = Habits(changes=False, breaks=0)
    second.file = lambda: NEW  # type: ignore[method-assign]
    second.marks = lambda: {"etag": '"old"'}  # type: ignore[method-assign]
    puller(None, UrlSource(serve(second)))
    assert store.find("tiny").path.read_bytes() == NEW


@pytest.mark.parametrize("length", ["none", "right"])
def test_what_is_sent_packed_is_not_unpacked(serve: Serve, puller: Puller, store: Store, length: str) -> None:
    habits = Habits(breaks=0, length=length, headers={"content-encoding": "gzip"})
    habits.file = lambda: gzip.compress(bytes(50_000_000))  # type: ignore[method-assign]
    with pytest.raises(UnreachableError, match="gzip"):
        puller(None, UrlSource(serve(habits)))
    assert not list(store.home.incoming.glob("*.part"))


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"content-length": "1" * 5000}, ""),
        ({"content-length": "-5"}, ""),
        ({"location": "/m.gguf"}, "redirect"),
        ({"location": "ftp://127.0.0.1/x"}, "ftp"),
        ({"location": "http://["}, ""),
        ({"location": "http://127.0.0.1:99999/"}, ""),
    ],
)
def test_senseless_headers_are_told_in_words(serve: Serve, puller: Puller, headers: dict[str, str], words: str) -> None:
    habits = Habits(breaks=0, length="none", headers=headers)
    url = serve(habits)
    if "location" in headers:
        redirecting = lambda self, status, given: _plain(self, 302, given)  # noqa: E731
        _plain = Handler._headers
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Handler, "_headers", redirecting)
            with pytest.raises(PluriverseError, match=f"(?i){words}"):
                puller(None, UrlSource(url))
    else:
        with pytest.raises(PluriverseError):
            puller(None, UrlSource(url))


def test_a_size_that_is_not_the_pinned_one_is_not_fetched(serve: Serve, puller: Puller) -> None:
    habits = Habits(breaks=0)
    with pytest.raises(IntegrityError, match="bytes, not"):
        puller(gguf(77_000), UrlSource(serve(habits)))
    assert len(habits.asked) == 1


def test_without_an_announced_size_no_more_than_the_pinned_one_is_taken(serve: Serve, puller: Puller) -> None:
    with pytest.raises(IntegrityError, match="gave more than"):
        puller(gguf(100), UrlSource(serve(replace(Habits(breaks=0), length="none"))))


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("all_proxy", "socks://user:secret@127.0.0.1:1", "all_proxy begins with socks://"),
        ("ALL_PROXY", "socks5://user:secret@127.0.0.1:1", "ALL_PROXY names a SOCKS proxy"),
        ("https_proxy", "quic://127.0.0.1:1", "https_proxy begins with quic://"),
        ("SSL_CERT_FILE", "/none/ca.pem", "SSL_CERT_FILE is /none/ca.pem"),
        ("SSL_CERT_FILE", __file__, "no readable file of certificates"),
        ("http_proxy", "http://user:secret@127.0.0.1:9", ""),
        ("http_proxy", "http://[", ""),
        ("http_proxy", "http://user:secret@127.0.0.1:port", "http_proxy is no address"),
    ],
)
def test_what_the_environment_asks_for_is_told(
    puller: Puller, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    if variable == "ALL_PROXY" and importlib.util.find_spec("socksio"):
        pytest.skip("SOCKS proxies work here")
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(UnreachableError) as error:
        puller(None, UrlSource("http://127.0.0.1:9/m.gguf"))
    assert words in error.value.message and variable in str(error.value.hint), error.value.as_dict()
    assert "secret" not in str(error.value.as_dict())
