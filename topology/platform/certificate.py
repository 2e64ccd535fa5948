"""A certificate for the service's name, signed by itself: the replica has no authority to ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

NAME: Final = "anpi.example"
VALID: Final = timedelta(days=365)
#: Handsets' clocks are not always right.
BACKDATED: Final = timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """Two PEM files."""

    chain: Path
    key: Path


def provide(folder: Path) -> Certificate:
    """The certificate in a folder, made if there is none that is still valid. Its key is for this user only."""
    certificate = Certificate(folder / "certificate.pem", folder / "key.pem")
    if not _valid(certificate):
        folder.mkdir(parents=True, exist_ok=True)
        _make(certificate)
    return certificate


def _valid(certificate: Certificate) -> bool:
    from cryptography import x509

    if not (certificate.chain.exists() and certificate.key.exists()):
        return False
    found = x509.load_pem_x509_certificate(certificate.chain.read_bytes())
    return found.not_valid_after_utc > datetime.now(UTC) + BACKDATED


def _make(certificate: Certificate) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())  # a handshake costs a fraction of what RSA's would
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.key.unlink(missing_ok=True)
    certificate.key.touch(mode=0o600)
    certificate.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate.chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
