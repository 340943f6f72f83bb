"""Certificates for tests, signed by themselves."""

from __future__ import annotations

from datetime import UTC, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from orchestrator.clock import SystemClock
from tests.fakes.issuer import RSA


def write(
    folder: Path,
    name: str = "waves",
    *,
    rsa_key: bool = False,
    lasts: timedelta = timedelta(days=90),
    passphrase: str = "",
) -> tuple[Path, Path]:
    """`tls.crt` and `tls.key` in the folder, for 127.0.0.1; each time another key, but for RSA."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = (
        RSA if rsa_key else ec.generate_private_key(ec.SECP256R1())
    )
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = SystemClock().now().astimezone(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + lasts) - timedelta(days=365))
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    how = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    return certificate, private


def common_name(der: bytes) -> str:
    """Whose a certificate is."""
    (found,) = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found.value)
