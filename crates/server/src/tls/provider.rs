//! Whose cryptography it is: AWS-LC by default, ring by cargo feature; with neither, nothing that needs a C compiler is
//! built and there is no TLS.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use super::problem::Problem;

/// The cryptography, of which the defaults are those that Mozilla calls intermediate: TLS 1.3, and TLS 1.2 with ephemeral
/// keys and authenticated encryption.
pub(crate) fn provider() -> Result<Arc<CryptoProvider>, Problem> {
    #[cfg(feature = "aws-lc-rs")]
    return Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    return Ok(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
    Err(Problem::new(
        "tls.absent",
        "this build of Kingpost has no TLS",
        "install a wheel, or build with the cargo feature aws-lc-rs or ring",
    ))
}

/// AES-256 in Galois counter mode under a key of 32 bytes, for tickets: seals `text` in place behind a fresh nonce.
#[cfg(any(feature = "aws-lc-rs", feature = "ring"))]
pub(crate) mod sealing {
    #[cfg(feature = "aws-lc-rs")]
    use aws_lc_rs as cryptography;
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    use ring as cryptography;

    use cryptography::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
    use cryptography::hmac::{HMAC_SHA256, Key, sign};
    use cryptography::rand::{SecureRandom, SystemRandom};

    /// What `text` is under `secret`, one way only.
    pub(crate) fn derive(secret: &[u8; 32], text: &[u8]) -> [u8; 32] {
        let tag = sign(&Key::new(HMAC_SHA256, secret), text);
        let mut derived = [0; 32];
        derived.copy_from_slice(tag.as_ref());
        derived
    }

    fn key(secret: &[u8; 32]) -> Option<LessSafeKey> {
        Some(LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, secret).ok()?,
        ))
    }

    pub(crate) fn seal(secret: &[u8; 32], context: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = text.to_vec();
        key(secret)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut sealed,
            )
            .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    pub(crate) fn open(secret: &[u8; 32], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = rest.to_vec();
        let length = key(secret)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(context),
                &mut text,
            )
            .ok()?
            .len();
        text.truncate(length);
        Some(text)
    }
}

/// Without cryptography nothing is sealed, and no connection comes so far as to ask.
#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
pub(crate) mod sealing {
    pub(crate) fn derive(secret: &[u8; 32], _text: &[u8]) -> [u8; 32] {
        *secret
    }

    pub(crate) fn seal(_secret: &[u8; 32], _context: &[u8], _text: &[u8]) -> Option<Vec<u8>> {
        None
    }

    pub(crate) fn open(_secret: &[u8; 32], _context: &[u8], _sealed: &[u8]) -> Option<Vec<u8>> {
        None
    }
}
