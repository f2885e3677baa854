"""PKCS#12 key stores, read with the package `cryptography`: neither Python nor librdkafka reads all that is in one."""

from pathlib import Path
from typing import NamedTuple

from kafkactl.errors import ClientConfigError
from kafkactl.whole_files import read_whole

EXTRA = "pip install 'kafkactl[secured]'"


class KeyPair(NamedTuple):
    """A private key and its certificates, its own first, as PEM."""

    key: str
    certificates: str


def authorities(path: str, password: str, place: str = "") -> str:
    """The certificates of a store, as PEM. Raises ClientConfigError if it cannot be read, or has none."""
    from cryptography.hazmat.primitives.serialization import Encoding

    store = _opened(path, password, place)
    found = [entry.certificate for entry in store.additional_certs]
    if store.cert is not None and store.key is None:
        found.insert(0, store.cert.certificate)
    if not found:
        raise ClientConfigError(f"{path} holds no certificate of an authority.", where=place)
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in found)


def key_pair(path: str, password: str, place: str = "") -> KeyPair:
    """The key of a store with its certificates. Raises ClientConfigError if it cannot be read, or has none."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    store = _opened(path, password, place)
    if store.key is None or store.cert is None:
        raise ClientConfigError(f"{path} holds no private key with a certificate.", where=place)
    key = store.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    chain = [store.cert.certificate, *(entry.certificate for entry in store.additional_certs)]
    return KeyPair(key, "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in chain))


def _opened(path: str, password: str, place: str):  # type: ignore[no-untyped-def]
    try:
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
    except ImportError:
        raise ClientConfigError(
            f"{path} is a PKCS#12 store: reading it takes the package cryptography.",
            where=place,
            hint=f"Install it: {EXTRA}",
        ) from None
    try:
        return load_pkcs12(read_whole(Path(path)), password.encode() or None)
    except OSError as error:
        raise ClientConfigError(f"Cannot read {path}: {error.strerror}.", where=place) from None
    except ValueError:
        raise ClientConfigError(
            f"{path} cannot be opened: the password is wrong, or it is no PKCS#12 store.", where=place
        ) from None
