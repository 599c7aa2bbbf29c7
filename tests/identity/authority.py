"""A certificate authority made for a test: root, intermediate, people, servers, revocation lists."""

from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import make

YEAR = timedelta(days=365)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
POLICY = "2.16.840.1.101.3.2.1.3.13"  # id-fpki-common-authentication


def name(text: str) -> x509.Name:
    """A distinguished name with one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A root that signs directly."""

    def __init__(self, title: str = "Demonstration root", now: datetime = make.NOW) -> None:
        self.now, self.key = now, ec.generate_private_key(ec.SECP256R1())
        self.title = title
        public = self.key.public_key()
        ski = x509.SubjectKeyIdentifier.from_public_key(public)
        use = x509.KeyUsage(
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
        self.certificate = (
            self._blank(title, public, now + YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(use, critical=True)
            .add_extension(ski, critical=False)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The root in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def _blank(self, title: str, public: object, ends: datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(title))
            .issuer_name(name(self.title))
            .public_key(public)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - YEAR)
            .not_valid_after(ends)
        )

    def issued(
        self,
        private: object,
        title: str = "Ann (demonstration)",
        *,
        uses: tuple[x509.ObjectIdentifier, ...] = (CLIENT,),
        policies: tuple[str, ...] = (),
        ends: datetime | None = None,
        authority: bool = False,
    ) -> bytes:
        """A certificate in DER for a private key's public half."""
        public = private.public_key()  # type: ignore[attr-defined]
        made = self._blank(title, public, ends or self.now + YEAR)
        if uses:
            made = made.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        if authority:
            constraints = x509.BasicConstraints(ca=True, path_length=None)
            made = made.add_extension(constraints, critical=True)
        if SERVER in uses:
            hosts = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            made = made.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        if policies:
            told = [x509.PolicyInformation(x509.ObjectIdentifier(one), None) for one in policies]
            made = made.add_extension(x509.CertificatePolicies(told), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = made.add_extension(issuer, critical=False)
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def revoking(self, *ders: bytes, age: timedelta = timedelta(), by: object = None) -> bytes:
        """A revocation list in PEM, made *age* ago and good for a week."""
        at = self.now - age
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name(self.title))
            .last_update(at)
            .next_update(at + timedelta(days=7))
        )
        for der in ders:
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(x509.load_der_x509_certificate(der).serial_number)
                .revocation_date(at)
                .build()
            )
            made = made.add_revoked_certificate(entry)
        signed = made.sign(by or self.key, hashes.SHA256())  # type: ignore[arg-type]
        return signed.public_bytes(serialization.Encoding.PEM)
