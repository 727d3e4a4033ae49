//! What a call is refused with.

use crate::cloud::CloudError;

/// An error as AWS answers it, before its class is looked up.
pub(super) fn refused(operation: &'static str, code: &str, message: &str) -> CloudError {
    CloudError::new(operation, code, message, Some("simulated"))
}
