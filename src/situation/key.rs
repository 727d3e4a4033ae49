//! The state of a KMS key: only an enabled one encrypts and decrypts.
//!
//! An attached volume goes on working without its key, since EC2 has the data key; detached, it cannot be attached again.
//!
//! - <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>
//! - <https://docs.aws.amazon.com/kms/latest/developerguide/unusable-kms-keys.html>

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Or in a state that passes by itself.
    Usable,
    Disabled,
    PendingDeletion,
    PendingImport,
    /// Its custom key store is disconnected.
    Unavailable,
    /// Deleted, which cannot be undone.
    Gone,
}

impl KeyState {
    /// By KMS's name for it, or by ours on record.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "Disabled" => Self::Disabled,
            "PendingDeletion" | "PendingReplicaDeletion" => Self::PendingDeletion,
            "PendingImport" => Self::PendingImport,
            "Unavailable" => Self::Unavailable,
            "NotFoundException" => Self::Gone,
            _ => Self::Usable,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usable => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion => "PendingDeletion",
            Self::PendingImport => "PendingImport",
            Self::Unavailable => "Unavailable",
            Self::Gone => "NotFoundException",
        }
    }

    /// What a person can do. Empty for a key that can be used.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Usable => "",
            Self::Disabled => "enable it (aws kms enable-key)",
            Self::PendingDeletion => {
                "cancel its deletion and enable it (aws kms cancel-key-deletion, then enable-key)"
            }
            Self::PendingImport => "import its key material again (aws kms import-key-material)",
            Self::Unavailable => {
                "connect its custom key store again (aws kms connect-custom-key-store)"
            }
            Self::Gone => {
                "a deleted key does not come back: copy the data to volumes under another key while these are attached"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_back_and_what_cannot_be_used_has_a_remedy() {
        for (name, usable) in [
            ("Enabled", true),
            ("Creating", true),
            ("Updating", true),
            ("Disabled", false),
            ("PendingDeletion", false),
            ("PendingReplicaDeletion", false),
            ("PendingImport", false),
            ("Unavailable", false),
            ("NotFoundException", false),
        ] {
            let state = KeyState::of(name);
            assert_eq!(state == KeyState::Usable, usable, "{name}");
            assert_eq!(KeyState::of(state.as_str()), state, "{name}");
            assert_eq!(state.remedy().is_empty(), usable, "{name}");
        }
    }
}
