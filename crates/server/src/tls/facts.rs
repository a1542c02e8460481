//! What stands in a certificate.

use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What people ask of a certificate (X.509, RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Whose it is, as RFC 4514 writes it: `CN=…,O=…`.
    pub subject: String,
    /// Who has signed it.
    pub issuer: String,
    /// Its number, hexadecimal, in upper case, two digits a byte.
    pub serial: String,
    /// Seconds since 1970 from which on it counts.
    pub not_before: u64,
    /// Seconds since 1970 up to which it counts.
    pub not_after: u64,
    /// The names of hosts that it is for; the first label may be `*`.
    pub dns_names: Vec<String>,
    /// The mail addresses that it is for.
    pub emails: Vec<String>,
    /// The URIs that it is for, such as `spiffe://…`.
    pub uris: Vec<String>,
}

impl CertificateFacts {
    /// Reads a certificate. `None`: this is none.
    #[must_use]
    pub fn of(der: &[u8]) -> Option<CertificateFacts> {
        let certificate = Certificate::from_der(der).ok()?;
        let said = certificate.tbs_certificate();
        let mut facts = CertificateFacts {
            subject: said.subject().to_string(),
            issuer: said.issuer().to_string(),
            serial: said
                .serial_number()
                .as_bytes()
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect(),
            not_before: said.validity().not_before.to_unix_duration().as_secs(),
            not_after: said.validity().not_after.to_unix_duration().as_secs(),
            dns_names: Vec::new(),
            emails: Vec::new(),
            uris: Vec::new(),
        };
        let (_, names) = said.get_extension::<SubjectAltName>().ok()?.unzip();
        for name in names.map(|names| names.0).unwrap_or_default() {
            match name {
                GeneralName::DnsName(name) => facts.dns_names.push(name.to_string()),
                GeneralName::Rfc822Name(name) => facts.emails.push(name.to_string()),
                GeneralName::UniformResourceIdentifier(name) => facts.uris.push(name.to_string()),
                _ => {}
            }
        }
        Some(facts)
    }
}
