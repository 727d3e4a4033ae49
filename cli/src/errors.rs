//! An error of AWS's in one line: what was being done, AWS's code and request id, and what to do.

use spot_rescue::cloud::{Class, CloudError};

/// How the SDK's adapter names a call that was not answered.
const UNANSWERED: &str = "Dispatch";

pub fn told(doing: &str, error: &CloudError) -> String {
    let advice = match error.class {
        Class::Denied => "; docs/restore-policy.json names the permissions that are needed",
        Class::Transient => "; try again",
        Class::AlreadyDone | Class::Capacity | Class::Permanent => "",
    };
    format!("{doing}: {}{advice}", short(error))
}

/// What the SDK adds for programmers is left out.
fn short(error: &CloudError) -> String {
    if error.code != UNANSWERED {
        return error.to_string();
    }
    let words = error.message.split(" (DispatchFailure").next();
    format!(
        "{} was not answered: {}",
        error.operation,
        words.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_to_do() {
        let error = |code, message| CloudError::new("CreateVolume", code, message, Some("r-1"));
        for (code, message, wanted) in [
            (
                "UnauthorizedOperation",
                "no",
                "making it: CreateVolume failed: UnauthorizedOperation: no (request r-1); \
                 docs/restore-policy.json names the permissions that are needed",
            ),
            (
                "RequestLimitExceeded",
                "slow down",
                "making it: CreateVolume failed: RequestLimitExceeded: slow down (request r-1); try again",
            ),
            (
                "Dispatch",
                "connection refused (DispatchFailure(DispatchFailure { source",
                "making it: CreateVolume was not answered: connection refused; try again",
            ),
        ] {
            assert_eq!(told("making it", &error(code, message)), wanted);
        }
    }
}
