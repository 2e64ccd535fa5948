from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from topology.platform import certificate


def test_it_is_for_the_services_name_and_its_key_is_for_this_user_only(tmp_path: Path) -> None:
    made = certificate.provide(tmp_path)
    found = x509.load_pem_x509_certificate(made.chain.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["anpi.example"]
    assert made.key.stat().st_mode & 0o777 == 0o600


def test_it_is_kept_while_it_is_valid(tmp_path: Path) -> None:
    first = certificate.provide(tmp_path).chain.read_bytes()
    assert certificate.provide(tmp_path).chain.read_bytes() == first


def test_one_that_is_about_to_end_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as short:
        short.setattr(certificate, "VALID", timedelta(hours=1))
        first = certificate.provide(tmp_path).chain.read_bytes()
    assert certificate.provide(tmp_path).chain.read_bytes() != first
