//! A certificate and its key, from two files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::facts::CertificateFacts;
use super::problem::Problem;

/// No certificate file is larger; a device that never ends is none.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A certificate with those that vouch for it, its key, and the names that it is for.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) certified: Arc<CertifiedKey>,
    names: Vec<String>,
}

impl Pair {
    /// Reads and checks both. `now`: seconds since 1970.
    pub(crate) fn read(
        certificate: &Path,
        key: &Path,
        provider: &CryptoProvider,
        now: u64,
    ) -> Result<Pair, Problem> {
        let chain = certificates_in(certificate)?;
        let private = key_in(key)?;
        let facts = chain
            .first()
            .and_then(|first| CertificateFacts::of(first))
            .ok_or_else(|| not_a_certificate(certificate))?;
        check_dates(certificate, &facts, now)?;
        let signing = provider
            .key_provider
            .load_private_key(private)
            .map_err(|_| {
                Problem::new(
                    "tls.unusable-key",
                    format!("{} has a key of a kind that TLS does not use here", key.display()),
                    "make one for ECDSA with P-256 or P-384, for Ed25519, or for RSA with 2048 to 8192 bits",
                )
            })?;
        let certified = CertifiedKey::new(chain, signing);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(Problem::new(
                    "tls.mismatch",
                    format!(
                        "the key in {} does not belong to the first certificate in {}",
                        key.display(),
                        certificate.display()
                    ),
                    "name the key that this certificate was made for, and put the server's own certificate first in its file",
                ));
            }
            Err(_) => return Err(not_a_certificate(certificate)),
        }
        Ok(Pair {
            certified: Arc::new(certified),
            names: facts
                .dns_names
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
        })
    }

    /// Whether it is for this name, written so.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        self.names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }
}

fn check_dates(path: &Path, facts: &CertificateFacts, now: u64) -> Result<(), Problem> {
    if now > facts.not_after {
        let days = (now - facts.not_after) / 86_400;
        return Err(Problem::new(
            "tls.expired",
            format!(
                "the certificate in {} expired {days} days ago",
                path.display()
            ),
            "renew it; the server takes the new file over by itself while it runs",
        ));
    }
    if now < facts.not_before {
        return Err(Problem::new(
            "tls.not-yet-valid",
            format!(
                "the certificate in {} counts only from a later day on, or the clock of this machine is late",
                path.display()
            ),
            "set the clock, or use a certificate that counts today",
        ));
    }
    Ok(())
}

fn not_a_certificate(path: &Path) -> Problem {
    Problem::new(
        "tls.no-certificate",
        format!(
            "what {} has between BEGIN CERTIFICATE and END CERTIFICATE is no certificate",
            path.display()
        ),
        "get the file anew from whoever has signed it",
    )
}

/// Every certificate of a PEM file, at least one.
fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    certificates_of(path, &content(path)?)
}

/// As `certificates_in`, of what stands in the file.
pub(crate) fn certificates_of(
    path: &Path,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => {
            let has_key = PrivateKeyDer::from_pem_slice(text).is_ok();
            let what = if has_key { "a private key, but " } else { "" };
            Err(Problem::new(
                "tls.no-certificate",
                format!(
                    "{} has {what}no certificate in PEM form, which is text between BEGIN CERTIFICATE and END CERTIFICATE",
                    path.display()
                ),
                "name the file with the certificate, and those that vouch for it behind it",
            ))
        }
    }
}

fn key_in(path: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    let text = content(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let encrypted = b"ENCRYPTED PRIVATE KEY-----";
        if text.windows(encrypted.len()).any(|part| part == encrypted) {
            return Problem::new(
                "tls.no-key",
                format!("the key in {} is locked with a password", path.display()),
                "unlock it: openssl pkey -in LOCKED -out KEY, and let nobody else read the new file",
            );
        }
        let has_certificate = CertificateDer::from_pem_slice(&text).is_ok();
        let what = if has_certificate { "a certificate, but " } else { "" };
        Problem::new(
            "tls.no-key",
            format!(
                "{} has {what}no private key in PEM form, which is text between BEGIN PRIVATE KEY and END PRIVATE KEY",
                path.display()
            ),
            "name the file with the key that the certificate was made for",
        )
    })
}

/// A file's bytes.
pub(crate) fn content(path: &Path) -> Result<Vec<u8>, Problem> {
    use std::io::Read;

    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?
            .take(LARGEST_FILE)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| Problem::unreadable(path, &error))
}

/// What tells one state of a file from the next, without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    path: PathBuf,
    state: Option<(u64, u64, std::time::SystemTime)>,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Stamp {
        // Followed: renewing tools move a link.
        let state = std::fs::metadata(path).ok().and_then(|found| {
            use std::os::unix::fs::MetadataExt;
            Some((found.ino(), found.len(), found.modified().ok()?))
        });
        Stamp {
            path: path.to_path_buf(),
            state,
        }
    }
}
