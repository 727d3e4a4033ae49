//! The function's own queue, when the function itself takes messages from it, or sends several at once.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html>

use super::error::failed;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry as Entry, Message as Received,
    SendMessageBatchRequestEntry as Sent,
};
use spot_rescue::cloud::{CloudError, Message};
use spot_rescue::event::{Wake, own};

const SEND: &str = "SendMessage";
const RECEIVE: &str = "ReceiveMessage";
const DELETE: &str = "DeleteMessageBatch";
/// SQS's own limit for one call.
const MOST: i32 = 10;

/// Does not wait for messages to come. A function without a queue has none.
pub async fn receive(client: &Client, queue_url: Option<&str>) -> Result<Vec<Message>, CloudError> {
    let Some(queue_url) = queue_url else {
        return Ok(Vec::new());
    };
    let call = client.receive_message().queue_url(queue_url);
    let call = call.max_number_of_messages(MOST).wait_time_seconds(0);
    let answer = call.send().await.map_err(failed(RECEIVE))?;
    let messages = answer.messages.unwrap_or_default();
    Ok(messages.into_iter().filter_map(message).collect())
}

/// None without a receipt: it could not be deleted.
fn message(received: Received) -> Option<Message> {
    Some(Message {
        id: received.message_id?,
        body: received.body?,
        receipt: received.receipt_handle?,
    })
}

/// An entry that SQS does not delete is an error of its own in the answer.
pub async fn delete(
    client: &Client,
    queue_url: Option<&str>,
    receipts: &[String],
) -> Result<(), CloudError> {
    let entries: Vec<Entry> = receipts.iter().enumerate().filter_map(entry).collect();
    let call = client
        .delete_message_batch()
        .set_queue_url(queue_url.map(str::to_owned));
    let call = call.set_entries(Some(entries));
    let answer = call.send().await.map_err(failed(DELETE))?;
    answer.failed.first().map_or(Ok(()), |it| {
        let message = it.message.as_deref().unwrap_or_default();
        Err(CloudError::new(DELETE, &it.code, message, None))
    })
}

/// Several wakes. One that is refused fails all: each is then sent alone.
pub async fn wake(
    client: &Client,
    queue_url: &str,
    wakes: &[(Wake, u16)],
) -> Result<String, CloudError> {
    let mut call = client.send_message_batch().queue_url(queue_url);
    for (position, (wake, delay_seconds)) in wakes.iter().enumerate() {
        let entry = Sent::builder()
            .id(position.to_string())
            .message_body(own::wake(wake))
            .delay_seconds(i32::from(*delay_seconds));
        let incomplete =
            |it: BuildError| CloudError::new(SEND, "Incomplete", &it.to_string(), None);
        call = call.entries(entry.build().map_err(incomplete)?);
    }
    let answer = call.send().await.map_err(failed(SEND))?;
    if let Some(refused) = answer.failed.first() {
        let message = refused.message.as_deref().unwrap_or_default();
        return Err(CloudError::new(SEND, &refused.code, message, None));
    }
    let ids = answer.successful.iter().map(|it| it.message_id.as_str());
    Ok(ids.collect::<Vec<_>>().join(" "))
}

fn entry((position, receipt): (usize, &String)) -> Option<Entry> {
    let entry = Entry::builder().id(position.to_string());
    entry.receipt_handle(receipt).build().ok()
}
