//! What a listener has: the certificates of its names, who may come, and when to read all of it anew.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::RootCertStore;
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};

use super::names::Names;
use super::pair::{Pair, Stamp, certificates_of, content};
use super::problem::Problem;
use super::provider::provider;
use super::tickets::{Keys, Tickets};

/// Milliseconds between two looks at the files. It is done when a client comes, so nobody looks where nobody comes.
const LOOK_EVERY: u64 = 1_000;

/// How a listener speaks TLS.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// Files of certificates, each with its key's: the one for the name that a client asks for is shown, the first where
    /// none is. At least one.
    pub certificates: Vec<(PathBuf, PathBuf)>,
    /// The authorities that sign clients' certificates; `None`: clients are not asked for one.
    pub client_ca: Option<PathBuf>,
    /// Clients without a certificate are let in as well.
    pub client_optional: bool,
    /// Protocols to offer by ALPN, the best first.
    pub protocols: Vec<Vec<u8>>,
    /// Makes the keys of session tickets. Workers that have the same resume each other's sessions. It is not kept.
    pub ticket_secret: [u8; 32],
    /// When the secret was made, in seconds since 1970.
    pub ticket_since: u64,
}

/// What came of a look at files that have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// New clients see the new certificates.
    Done,
    /// They see the former ones: what stands in the files now cannot be used.
    Kept(Problem),
}

struct Current {
    config: Arc<ServerConfig>,
    stamps: Vec<Stamp>,
    /// When the files were looked at last, in milliseconds of [`Now`](crate::Now).
    looked: u64,
}

/// TLS for a listener. May be shared by several, and made before a fork.
pub struct Tls {
    settings: TlsSettings,
    keys: Keys,
    current: Mutex<Current>,
}

impl Tls {
    /// Reads every file.
    ///
    /// # Errors
    /// The first thing that cannot be used.
    pub fn new(mut settings: TlsSettings) -> Result<Tls, Problem> {
        let keys = Keys::new(&settings.ticket_secret, settings.ticket_since);
        // All keys that there ever were follow from it.
        settings.ticket_secret = [0; 32];
        // Before they are read: what changes meanwhile is seen at the first look.
        let stamps = stamps(&settings);
        let config = Arc::new(read(&settings, &keys)?);
        Ok(Tls {
            settings,
            keys,
            current: Mutex::new(Current {
                config,
                stamps,
                looked: 0,
            }),
        })
    }

    /// What a new connection is made with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current().config)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // Each of its parts is whole at any time.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether the files have changed, at most once a second, and reads them anew if they have. `None`: nothing to
    /// tell. What could not be used is tried again when the files change again.
    pub fn look(&self, millis: u64) -> Option<Reload> {
        self.look_by(millis, || read(&self.settings, &self.keys))
    }

    fn look_by(
        &self,
        millis: u64,
        read: impl FnOnce() -> Result<ServerConfig, Problem>,
    ) -> Option<Reload> {
        let mut current = self.current();
        if millis < current.looked.saturating_add(LOOK_EVERY) {
            return None;
        }
        current.looked = millis;
        let stamps = stamps(&self.settings);
        if stamps == current.stamps {
            return None;
        }
        current.stamps = stamps;
        drop(current);
        // What parses files is much code of others: clients are served whatever it does.
        let read = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
            Err(Problem::new(
                "tls.panicked",
                "Kingpost failed on the changed certificates, which is a bug",
                "report it with the files of the certificates, not with those of the keys",
            ))
        });
        Some(match read {
            Ok(config) => {
                self.current().config = Arc::new(config);
                Reload::Done
            }
            Err(problem) => Reload::Kept(problem),
        })
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("certificates", &self.settings.certificates)
            .finish_non_exhaustive()
    }
}

fn stamps(settings: &TlsSettings) -> Vec<Stamp> {
    let pairs = settings.certificates.iter();
    pairs
        .flat_map(|(certificate, key)| [certificate, key])
        .chain(&settings.client_ca)
        .map(|path| Stamp::of(path))
        .collect()
}

fn read(settings: &TlsSettings, keys: &Keys) -> Result<ServerConfig, Problem> {
    let provider = provider()?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let pairs: Result<Vec<Pair>, Problem> = settings
        .certificates
        .iter()
        .map(|(certificate, key)| Pair::read(certificate, key, &provider, now))
        .collect();
    let pairs = pairs?;
    if pairs.is_empty() {
        return Err(Problem::new(
            "tls.no-certificate",
            "TLS was asked for without a certificate",
            "name the files of a certificate and its key",
        ));
    }
    let unusable = |_| {
        Problem::new(
            "tls.absent",
            "this build of Kingpost has no TLS 1.2 and 1.3",
            "install a wheel, or build with the cargo feature aws-lc-rs or ring",
        )
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(unusable)?;
    let (builder, context) = match &settings.client_ca {
        None => (builder.with_no_client_auth(), Vec::new()),
        Some(path) => {
            // Once: tickets are bound to what the verifier has.
            let text = content(path)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::new(authorities(path, &text)?),
                Arc::clone(&provider),
            );
            let verifier = if settings.client_optional {
                verifier.allow_unauthenticated()
            } else {
                verifier
            };
            let verifier = verifier.build().map_err(|_| no_authority(path))?;
            (builder.with_client_cert_verifier(verifier), text)
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(Names(pairs)));
    config.alpn_protocols.clone_from(&settings.protocols);
    config.ticketer = Arc::new(Tickets::new(keys, &context));
    // Tickets are all: a memory of sessions would be each worker's own, and grow.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

fn authorities(path: &Path, text: &[u8]) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates_of(path, text)? {
        roots.add(certificate).map_err(|_| no_authority(path))?;
    }
    Ok(roots)
}

fn no_authority(path: &Path) -> Problem {
    Problem::new(
        "tls.bad-authority",
        format!(
            "{} has a certificate that cannot vouch for clients",
            path.display()
        ),
        "name a PEM file with the certificates of those who sign your clients' certificates",
    )
}

#[cfg(all(test, any(feature = "aws-lc-rs", feature = "ring")))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)] // A test fails by panicking.

    use super::*;

    #[test]
    fn code_that_panics_on_a_changed_file_leaves_what_there_was_and_nothing_of_the_secret_is_kept()
    {
        let folder = std::env::temp_dir().join(format!("kingpost-store-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (certificate, key) = (folder.join("own.pem"), folder.join("own-key.pem"));
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let tls = Tls::new(TlsSettings {
            certificates: vec![(certificate.clone(), key)],
            client_ca: None,
            client_optional: false,
            protocols: Vec::new(),
            ticket_secret: [7; 32],
            ticket_since: 0,
        })
        .unwrap();
        assert_eq!([0; 32], tls.settings.ticket_secret);
        let before = tls.config();

        std::fs::write(&certificate, format!("{} ", made.cert.pem())).unwrap();
        let Some(Reload::Kept(problem)) = tls.look_by(1_000, || panic!("a bug")) else {
            panic!("taken");
        };
        assert_eq!("tls.panicked", problem.code);
        assert!(Arc::ptr_eq(&before, &tls.config()));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        assert_eq!(Some(Reload::Done), tls.look(2_000));
        assert!(!Arc::ptr_eq(&before, &tls.config()));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
