"""Why no connection comes about, in words: what the network or a server said, or what the environment asks for.

Knows the variables of proxies and certificates by name and scheme; a proxy's address may hold a password and is never
shown.
"""

import sys
from pathlib import Path

from ...errors import UnreachableError
from ...settings import connecting_variables

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


def cannot_connect(what: str, error: Exception) -> UnreachableError:
    """`error` is what a client raised on its way to `what` (an address, or a name for it)."""
    told = None
    if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
        told = _certificates()
    if told is None and isinstance(error, ImportError | ValueError):
        told = _proxy(error)
    return told or UnreachableError(f"{what}: {words(error)}")


def words(error: Exception) -> str:
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


def _proxy(error: Exception) -> UnreachableError | None:
    """The first variable that a client cannot use."""
    for name, value in connecting_variables().items():
        if not name.lower().endswith("_proxy") or name.lower() == "no_proxy":
            continue
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
    return None
