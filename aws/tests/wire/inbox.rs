//! Messages that the function takes from its own queue.

use super::replay::{QUEUE, Wire, ok, stack};
use serde_json::{Value, json};
use spot_rescue::cloud::{Cloud, Message};
use spot_rescue::event::Wake;
use spot_rescue::step::Action;
use spot_rescue_aws::Stack;

fn bodies(wire: &Wire) -> Vec<Value> {
    let bodies = wire.bodies();
    bodies
        .iter()
        .map(|it| serde_json::from_str(it).expect("a request is JSON"))
        .collect()
}

#[tokio::test]
async fn ten_at_most_are_received_and_none_is_waited_for() {
    let message = json!({ "MessageId": "m-1", "ReceiptHandle": "r-1", "Body": "{}" });
    // A message without a receipt could not be deleted.
    let odd = json!({ "MessageId": "m-2", "Body": "{}" });
    let wire = Wire::new([ok(json!({ "Messages": [message, odd] }).to_string())]);
    let received = wire.aws.receive().await.unwrap();
    let wanted = Message {
        id: "m-1".to_owned(),
        body: "{}".to_owned(),
        receipt: "r-1".to_owned(),
    };
    assert_eq!(received, [wanted]);
    let wanted = json!({ "QueueUrl": QUEUE, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0 });
    assert_eq!(bodies(&wire), [wanted]);
}

#[tokio::test]
async fn an_empty_queue_answers_with_nothing_at_all() {
    let wire = Wire::new([ok("{}")]);
    assert_eq!(wire.aws.receive().await, Ok(Vec::new()));
}

#[tokio::test]
async fn without_a_queue_nothing_is_received() {
    let none = Stack {
        queue_url: None,
        ..stack()
    };
    let wire = Wire::of(none, []);
    assert_eq!(wire.aws.receive().await, Ok(Vec::new()));
    assert!(wire.bodies().is_empty());
}

/// SQS answers with a 200 and gives the result of each entry in it.
#[tokio::test]
async fn messages_are_deleted_by_their_receipts_and_one_that_is_not_is_an_error() {
    let receipts = ["r-1".to_owned(), "r-2".to_owned()];
    let failed = json!({ "Id": "1", "Code": "ReceiptHandleIsInvalid", "SenderFault": true, "Message": "old" });
    let answers = [
        json!({ "Successful": [{ "Id": "0" }, { "Id": "1" }], "Failed": [] }),
        json!({ "Successful": [{ "Id": "0" }], "Failed": [failed] }),
    ];
    let wire = Wire::new(answers.map(|it| ok(it.to_string())));
    assert_eq!(wire.aws.delete(&receipts).await, Ok(()));
    let error = wire.aws.delete(&receipts).await.unwrap_err();
    assert_eq!(error.operation, "DeleteMessageBatch");
    assert_eq!(error.code, "ReceiptHandleIsInvalid");
    assert_eq!(error.message, "old");
    let entries = json!([
        { "Id": "0", "ReceiptHandle": "r-1" },
        { "Id": "1", "ReceiptHandle": "r-2" },
    ]);
    let wanted = json!({ "QueueUrl": QUEUE, "Entries": entries });
    assert_eq!(bodies(&wire), [wanted.clone(), wanted]);
}

/// One that SQS does not take fails the call: each is sent alone then, so none is lost.
#[tokio::test]
async fn wakes_leave_in_one_call_and_one_that_is_refused_fails_it() {
    let wake = |id: &str| Wake::look(id.parse().expect("an id"));
    let wakes = vec![
        (wake("i-0123456789abcdef0"), 5),
        (wake("i-0123456789abcdef1"), 900),
    ];
    let action = Action::Wakes(wakes);
    let taken =
        |id: &str| json!({ "Id": id, "MessageId": format!("m-{id}"), "MD5OfMessageBody": "" });
    let failed =
        json!({ "Id": "1", "Code": "InternalError", "SenderFault": false, "Message": "later" });
    let answers = [
        json!({ "Successful": [taken("0"), taken("1")], "Failed": [] }),
        json!({ "Successful": [taken("0")], "Failed": [failed] }),
    ];
    let wire = Wire::new(answers.map(|it| ok(it.to_string())));
    assert_eq!(wire.aws.act(&action).await, Ok("m-0 m-1".to_owned()));
    let error = wire.aws.act(&action).await.unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("InternalError", "later")
    );
    let sent = bodies(&wire);
    assert_eq!(sent[0]["QueueUrl"], QUEUE);
    let entries = sent[0]["Entries"].as_array().expect("entries");
    let each = entries
        .iter()
        .map(|it| (it["Id"].as_str(), it["DelaySeconds"].as_i64()));
    assert_eq!(
        each.collect::<Vec<_>>(),
        [(Some("0"), Some(5)), (Some("1"), Some(900))]
    );
    for (entry, id) in entries
        .iter()
        .zip(["i-0123456789abcdef0", "i-0123456789abcdef1"])
    {
        assert!(
            entry["MessageBody"]
                .as_str()
                .is_some_and(|it| it.contains(id))
        );
    }
}
