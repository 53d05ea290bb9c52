"""A throwaway certificate authority: the library fetches media by https alone, also from loopback."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_LIFE = datetime.timedelta(days=30)


class Authority:
    """One authority and one certificate for 127.0.0.1; the authority's key is forgotten at once."""

    def __init__(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        root_name = _name("Balas sandbox authority")
        root = (
            _builder(root_name, root_name, root_key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(root_key, SHA256())
        )
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        leaf = (
            _builder(_name("127.0.0.1"), root_name, self._key.public_key(), now)
            .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
            .sign(root_key, SHA256())
        )
        # What clients must trust, and what the server shows.
        self.root_pem = root.public_bytes(Encoding.PEM)
        self._leaf_pem = leaf.public_bytes(Encoding.PEM)

    def server_context(self) -> ssl.SSLContext:
        """The TLS settings of a server on 127.0.0.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        # OpenSSL takes a certificate only from a file.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "server.pem"
            path.write_bytes(key + self._leaf_pem)
            context.load_cert_chain(path)
        return context

    def publish(self, path: Path) -> None:
        """Put the authority's certificate where programs are told to look; readers never see half of it."""
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(self.root_pem)
        temporary.replace(path)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFE)
    )
