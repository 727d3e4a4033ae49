//! Short names for content that is too long to compare or to send: the same content has the same name.

use sha2::{Digest as _, Sha256};
use std::hash::{Hash, Hasher};

/// `ClientToken`: every invocation computes the same token for the same intent; at most 64 characters.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>
#[must_use]
pub fn token(parts: &[&str]) -> String {
    let mut digest = Digest::default();
    for part in parts {
        digest.write(part.as_bytes());
        digest.write(&[0]);
    }
    digest.token()
}

/// A hash of any value, the same in all processes of one build. Another build may give another: the content is then
/// taken for changed.
#[must_use]
pub fn fingerprint(of: &impl Hash) -> String {
    let mut digest = Digest::default();
    of.hash(&mut digest);
    digest.token()
}

#[derive(Default)]
struct Digest(Sha256);

impl Digest {
    fn token(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut token = String::with_capacity(64);
        token.push_str("spot-rescue-");
        for byte in self.0.finalize().iter().take(20) {
            token.extend([byte >> 4, byte & 15].map(|it| char::from(DIGITS[usize::from(it)])));
        }
        token
    }
}

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Required by the trait and never used: so short a hash would not do.
    fn finish(&self) -> u64 {
        0
    }
}
