//! The codes themselves: HMAC with SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Of 256 bits 96 are written down: guesses can only be tried on the function itself, and sixteen characters leave
/// room in a tag.
const WRITTEN: usize = 12;
const SHORTEST: usize = 32;

/// Derived from the stack's secret; its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// None for a secret short enough to be guessed.
    #[must_use]
    pub fn new(secret: &str) -> Option<Self> {
        let mac = Hmac::new_from_slice(secret.as_bytes()).ok()?;
        (secret.len() >= SHORTEST).then_some(Self(mac))
    }

    /// Sixteen characters of letters, digits, `-` and `_`.
    #[must_use]
    pub fn code(&self, parts: &[&str]) -> String {
        let whole = self.over(parts).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(&whole[..WRITTEN])
    }

    /// Whether this is the code, compared in constant time.
    #[must_use]
    pub fn fits(&self, parts: &[&str], code: &str) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(code).unwrap_or_default();
        bytes.len() == WRITTEN && self.over(parts).verify_truncated_left(&bytes).is_ok()
    }

    /// A token for AWS that cannot be computed without the key: at most 64 characters.
    #[must_use]
    pub fn salted(&self, token: &str) -> String {
        let whole = self.over(&["token", token]).finalize().into_bytes();
        format!("spot-rescue-{}", URL_SAFE_NO_PAD.encode(&whole[..30]))
    }

    fn over(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in parts {
            // Each part with its length, so that parts cut differently give another code.
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_fits_its_own_content_alone() {
        let key = Key::new(&"s".repeat(32)).unwrap();
        let code = key.code(&["a", "bc"]);
        assert_eq!(code.len(), 16);
        assert!(key.fits(&["a", "bc"], &code));
        let other = Key::new(&"t".repeat(32)).unwrap();
        assert!(!other.fits(&["a", "bc"], &code));
        for parts in [["ab", "c"], ["a", "bd"], ["", "abc"]] {
            assert!(!key.fits(&parts, &code), "{parts:?}");
        }
        for code in [
            "",
            "x",
            &code[..15],
            "not base64 at all",
            &format!("{code}A"),
        ] {
            assert!(!key.fits(&["a", "bc"], code), "{code}");
        }
        assert!(Key::new(&"s".repeat(31)).is_none());
        assert!(key.salted("x").len() <= 64 && key.salted("x") != key.salted("y"));
    }
}
