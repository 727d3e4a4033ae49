//! The secret that seals are made with.

use super::replay::{Answer, SECRET, Wire, ok, stack};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::seal::Seal;
use spot_rescue_aws::Stack;

/// One read for a process, whatever is sealed with it.
#[tokio::test]
async fn the_secret_is_read_once_by_its_arn() {
    let secret = "s".repeat(64);
    let wire = Wire::new([ok(format!(
        r#"{{"ARN":"{SECRET}","SecretString":"{secret}"}}"#
    ))]);
    let seal = Seal::of(None);
    let codes = [
        seal.key(&wire.aws).await.unwrap().code(&["a"]),
        seal.key(&wire.aws).await.unwrap().code(&["a"]),
    ];
    assert_eq!(codes[0], codes[1]);
    let [body] = <[_; 1]>::try_from(wire.bodies()).expect("one request");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, serde_json::json!({ "SecretId": SECRET }));
}

/// The error names the variable and what to do about it.
#[tokio::test]
async fn without_its_name_the_error_says_what_to_do() {
    let nameless = Stack {
        secret_arn: None,
        ..stack()
    };
    let wire = Wire::of(nameless, []);
    let error = wire.aws.secret().await.unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.class),
        ("NoSecret", Class::Permanent)
    );
    assert!(error.message.contains("SPOT_RESCUE_SECRET_ARN is not set"));
    assert!(error.message.contains("set it to"));
    assert!(wire.bodies().is_empty());
}

#[tokio::test]
async fn an_answer_without_a_usable_secret_is_an_error() {
    let denied = r#"{"__type":"AccessDeniedException","Message":"no"}"#;
    for (answer, code, class) in [
        (
            Answer::Says(400, denied.to_owned()),
            "AccessDeniedException",
            Class::Denied,
        ),
        (ok(r#"{"SecretBinary":"AAAA"}"#), "Empty", Class::Permanent),
    ] {
        let wire = Wire::new([answer]);
        let error = wire.aws.secret().await.unwrap_err();
        assert_eq!(error.operation, "GetSecretValue");
        assert_eq!((error.code.as_str(), error.class), (code, class));
    }
}
