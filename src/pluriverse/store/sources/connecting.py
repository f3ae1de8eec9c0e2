"""Why no connection comes about, in words: what the network or a server said, or what the environment asks for.

Knows the variables of proxies and certificates by name and scheme; a proxy's address may hold a password and is never
shown.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from ...errors import UnreachableError
from ...settings import connecting_variables

CANNOT = (OSError, ValueError, OverflowError, ExceptionGroup)
"""What a client raises, besides its own errors, of an address that it cannot use: a port beyond 65535, say."""
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def cannot_connect(what: str, error: Exception) -> UnreachableError:
    """`error` is what a client raised on its way to `what` (an address, or a name for it)."""
    import httpx2

    told = hint = None
    if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
        told = _certificates()
    if told is None and isinstance(error, ImportError | ValueError | httpx2.InvalidURL):
        told = _proxy(error)
    if isinstance(error, httpx2.TransportError) and (proxies := _proxies()):
        hint = f"check the network, and the proxy that is set in {' and '.join(proxies)}"
    return told or UnreachableError(f"{what}: {words(error)}", hint)


def words(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):  # of the tasks in which a client tries a host's addresses
        error = error.exceptions[0]
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _certificates() -> UnreachableError | None:
    for name, value in connecting_variables().items():
        if name == "SSL_CERT_FILE" and not _certificates_in(Path(value)):
            return UnreachableError(
                f"SSL_CERT_FILE is {value}, which is no readable file of certificates",
                "set SSL_CERT_FILE to one, or unset SSL_CERT_FILE",
            )
    return None


def _certificates_in(path: Path) -> bool:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ValueError):
        return False
    return True


def _proxies() -> dict[str, str]:
    set_here = connecting_variables().items()
    return {name: value for name, value in set_here if name.lower() in {"http_proxy", "https_proxy", "all_proxy"}}


def _proxy(error: Exception) -> UnreachableError | None:
    """The first variable that a client cannot use."""
    for name, value in _proxies().items():
        scheme, separator, _ = value.partition("://")
        if isinstance(error, ImportError) and scheme.startswith("socks"):
            return UnreachableError(
                f"{name} names a SOCKS proxy, and the package for those is not installed",
                f"{sys.executable} -m pip install socksio; or unset {name}",
            )
        if separator and scheme.lower() not in _PROXY_SCHEMES:
            return UnreachableError(
                f"{name} begins with {scheme}://, which is no kind of proxy that is known here",
                f"let {name} begin with http:// or socks5://, or unset {name}",
            )
        try:
            _ = urlsplit(value if separator else f"http://{value}").port
        except ValueError:
            return UnreachableError(f"{name} is no address of a proxy", f"write http://HOST:PORT, or unset {name}")
    return None
