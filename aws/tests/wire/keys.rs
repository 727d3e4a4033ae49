//! `DescribeKey`.

use super::replay::{Answer, Wire, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::situation::KeyState;

const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0f0f";

#[tokio::test]
async fn the_state_of_a_key_is_asked_for_by_its_arn() {
    for (name, state) in [
        ("Enabled", KeyState::Usable),
        ("Disabled", KeyState::Disabled),
        ("PendingDeletion", KeyState::PendingDeletion),
        ("PendingImport", KeyState::PendingImport),
        ("Unavailable", KeyState::Unavailable),
    ] {
        let answer = format!(r#"{{"KeyMetadata":{{"KeyId":"0f0f","KeyState":"{name}"}}}}"#);
        let wire = Wire::new([ok(answer)]);
        assert_eq!(wire.aws.key_state(KEY).await, Ok(state), "{name}");
        let [body] = <[_; 1]>::try_from(wire.bodies()).expect("one request");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body, serde_json::json!({ "KeyId": KEY }));
    }
}

/// A deleted key has a state as well; a key that may not be described has none that is known.
#[tokio::test]
async fn a_deleted_key_is_gone_and_a_denied_one_an_error() {
    let refused = |code: &str| {
        let body = format!(r#"{{"__type":"{code}","message":"no"}}"#);
        Wire::new([Answer::Says(400, body)])
    };
    let gone = refused("NotFoundException").aws.key_state(KEY).await;
    assert_eq!(gone, Ok(KeyState::Gone));
    let denied = refused("AccessDeniedException").aws.key_state(KEY).await;
    let denied = denied.unwrap_err();
    assert_eq!(
        (denied.operation, denied.class),
        ("DescribeKey", Class::Denied)
    );
    let empty = Wire::new([ok("{}")]).aws.key_state(KEY).await;
    assert_eq!(empty.unwrap_err().code, "Empty");
}
