"""The certificates of a secured sandbox: an authority, servers good and bad, users. All of them end with it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kafkactl.private_files import write_private
from kafkactl.sandbox.machine import sandbox_extra
from kafkactl.sandbox.ports import HOST, HOST6

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, GeneralName, Name

_ORGANIZATION = "Sandbox"
ELSEWHERE = "kafka.elsewhere.example"  # the name in the certificate of another name
_YEAR = timedelta(days=365)
_HOUR = timedelta(hours=1)  # clocks differ


class _Identity(NamedTuple):
    key: "EllipticCurvePrivateKey"
    certificate: "Certificate"


def check_cryptography() -> None:
    """Raises KafkactlError where the package that makes certificates is not installed."""
    with sandbox_extra():
        import cryptography  # noqa: F401


def make_certificates(directory: Path, users: Iterable[str], strangers: Iterable[str]) -> None:
    """Write PEM files below a directory:

    ca.pem and foreign-ca.pem, two authorities; server/, what Kafka takes as key stores (server, expired, wrong-name and
    unknown-authority) and its trust store; certificates/, a certificate and a key for each user, and for each of
    `strangers` those of the other authority, under the names that `foreign` gives. Raises KafkactlError where the
    extra is not installed.
    """
    check_cryptography()
    now = datetime.now(UTC)
    ours, theirs = _authority("Sandbox CA", now), _authority("Another CA", now)
    here = ["localhost", HOST, HOST6]
    servers = {
        "server": (_issue(ours, "localhost", here, now), ours),
        "expired": (_issue(ours, "localhost", here, now - 2 * _YEAR), ours),
        "wrong-name": (_issue(ours, ELSEWHERE, [ELSEWHERE], now), ours),
        "unknown-authority": (_issue(theirs, "localhost", here, now), theirs),
    }
    write_private(directory / "ca.pem", _pem(ours.certificate))
    write_private(directory / "foreign-ca.pem", _pem(theirs.certificate))
    write_private(directory / "server" / "ca.pem", _pem(ours.certificate))
    for name, (server, issuer) in servers.items():
        store = _key(server) + _pem(server.certificate) + _pem(issuer.certificate)
        write_private(directory / "server" / f"{name}.pem", store)
    own = {user: _issue(ours, user, [], now) for user in users}
    others = {foreign(user): _issue(theirs, user, [], now) for user in strangers}
    for name, identity in {**own, **others}.items():
        write_private(directory / "certificates" / f"{name}.pem", _pem(identity.certificate))
        write_private(directory / "certificates" / f"{name}.key", _key(identity))


def foreign(user: str) -> str:
    """The name of the files with a user's certificate of the other authority."""
    return f"foreign-{user}"


def _authority(name: str, now: datetime) -> _Identity:
    from cryptography import x509

    key = _new_key()
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(name, _name(name), key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return _Identity(key, _signed(builder, key))


def _issue(issuer: _Identity, name: str, hosts: list[str], now: datetime) -> _Identity:
    """A certificate that is valid for a year from `now` on: a server's where it names hosts, else a client's."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = _new_key()
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(name, issuer.certificate.subject, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False
        )
    return _Identity(key, _signed(builder, issuer.key))


def _builder(name: str, issuer: "Name", key: "EllipticCurvePrivateKey", now: datetime) -> "CertificateBuilder":
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _HOUR)
        .not_valid_after(now + _YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _signed(builder: "CertificateBuilder", key: "EllipticCurvePrivateKey") -> "Certificate":
    from cryptography.hazmat.primitives.hashes import SHA256

    return builder.sign(key, SHA256())


def _new_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> "Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, text),  # RFC 2253, as Java writes a name, begins with the last
        ]
    )


def _general_name(host: str) -> "GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: "Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key(identity: _Identity) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
