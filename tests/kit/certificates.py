"""Certificates made when a test needs them: an authority, and servers of every kind of trouble."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Authority:
    """An authority of its own; ``bundle`` is the file that a client has to trust."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign(
            _name("Authority of the tests"), self._key.public_key(), [], is_authority=True
        )
        self.bundle = directory / "authority.pem"
        self.bundle.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def server(
        self, *hosts: str, is_expired: bool = False, is_self_signed: bool = False
    ) -> tuple[Path, Path]:
        """Files of a certificate for *hosts* and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(
            _name(hosts[0]),
            key.public_key(),
            list(hosts),
            is_expired=is_expired,
            signer=key if is_self_signed else None,
        )
        stem = f"{hosts[0]}-{x509.random_serial_number():x}"
        certificate_path = self._directory / f"{stem}.pem"
        key_path = self._directory / f"{stem}.key"
        certificate_path.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate_path, key_path

    def _sign(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        hosts: list[str],
        *,
        is_authority: bool = False,
        is_expired: bool = False,
        signer: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        until = now - _DAY if is_expired else now + _DAY
        issuer = subject if is_authority or signer else self._certificate.subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 10 * _DAY)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if hosts:
            names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)

        return builder.sign(signer or self._key, hashes.SHA256())
