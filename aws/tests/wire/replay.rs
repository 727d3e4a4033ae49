//! A connector that gives prepared answers and keeps the requests.
//!
//! The SDK's own, `StaticReplayClient`, is not used: its feature turns on `preserve_order` in
//! `serde_json`, and then tests would see other JSON than the function writes.

use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::sdk_config::Builder;
use spot_rescue_aws::{Aws, Stack};
use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/rescues";

pub const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:SealSecret-a1B2c3";

/// The answer to one request.
#[derive(Debug, Clone)]
pub enum Answer {
    Says(u16, String),
    /// The connection is closed before an answer.
    Reset,
    /// Nothing, for ever.
    Silence,
}

/// The function's cloud, and the other end of its wire.
pub struct Wire {
    pub aws: Aws,
    replay: Replay,
}

#[derive(Debug, Clone, Default)]
struct Replay(Arc<Mutex<Exchange>>);

#[derive(Debug, Default)]
struct Exchange {
    answers: VecDeque<Answer>,
    requests: Vec<Sent>,
}

#[derive(Debug)]
struct Sent {
    invocation: Option<String>,
    uri: String,
    body: String,
}

pub fn stack() -> Stack {
    Stack {
        queue_url: Some(QUEUE.to_owned()),
        secret_arn: Some(SECRET.to_owned()),
    }
}

pub fn ok(body: impl Into<String>) -> Answer {
    Answer::Says(200, body.into())
}

impl Wire {
    /// With the timeouts and retries that the core reckons with.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::of(stack(), answers)
    }

    pub fn of(stack: Stack, answers: impl IntoIterator<Item = Answer>) -> Self {
        let replay = Replay::holding(answers);
        let aws = Aws::connect(&replay.config().build(), stack);
        Self { aws, replay }
    }

    /// That connects by this.
    pub fn connecting(
        answers: impl IntoIterator<Item = Answer>,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let replay = Replay::holding(answers);
        let aws = Aws::connect(&change(replay.config()).build(), stack());
        Self { aws, replay }
    }

    /// With reads that are cut off after so many items.
    pub fn reading_at_most(at_most: usize, answers: impl IntoIterator<Item = Answer>) -> Self {
        let Self { aws, replay } = Self::new(answers);
        let aws = aws.reading_at_most(at_most);
        Self { aws, replay }
    }

    /// With other timeouts and retries.
    pub fn with(
        answers: impl IntoIterator<Item = Answer>,
        with_timeouts: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let replay = Replay::holding(answers);
        let aws = Aws::new(&with_timeouts(replay.config()).build(), stack());
        Self { aws, replay }
    }

    /// The parameters of every request so far; every answer must have been asked for.
    pub fn requests(&self) -> Vec<BTreeMap<String, String>> {
        self.bodies().iter().map(|it| form(it)).collect()
    }

    pub fn only_request(&self) -> BTreeMap<String, String> {
        let [only] = <[_; 1]>::try_from(self.requests()).expect("one request");
        only
    }

    pub fn bodies(&self) -> Vec<String> {
        let exchange = self.replay.exchange();
        let left = &exchange.answers;
        assert!(left.is_empty(), "never asked for: {left:?}");
        exchange.requests.iter().map(|it| it.body.clone()).collect()
    }

    /// The SDK's own id of each call: attempts of one call have the same.
    pub fn invocation_ids(&self) -> Vec<Option<String>> {
        let exchange = self.replay.exchange();
        let requests = exchange.requests.iter();
        requests.map(|it| it.invocation.clone()).collect()
    }

    /// The URI of every request so far: services with a REST protocol have their parameters there.
    pub fn uris(&self) -> Vec<String> {
        let exchange = self.replay.exchange();
        exchange.requests.iter().map(|it| it.uri.clone()).collect()
    }
}

impl Replay {
    fn holding(answers: impl IntoIterator<Item = Answer>) -> Self {
        let replay = Self::default();
        replay.exchange().answers.extend(answers);
        replay
    }

    fn config(&self) -> Builder {
        let connector = SharedHttpConnector::new(self.clone());
        let credentials = Credentials::new("KEY", "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| connector.clone()))
    }

    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body).into_owned();
        let id = request.headers().get("amz-sdk-invocation-id");
        let mut exchange = self.exchange();
        exchange.requests.push(Sent {
            invocation: id.map(str::to_owned),
            uri: request.uri().to_owned(),
            body,
        });
        match exchange.answers.pop_front() {
            Some(Answer::Says(status, body)) => {
                let status = status.try_into().expect("an HTTP status");
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                let headers = response.headers_mut();
                headers.insert("x-amzn-requestid", "request-in-header");
                HttpConnectorFuture::ready(Ok(response))
            }
            Some(Answer::Reset) => {
                HttpConnectorFuture::ready(Err(ConnectorError::io("connection reset".into())))
            }
            Some(Answer::Silence) => HttpConnectorFuture::new(pending()),
            // Not one the SDK would repeat.
            None => HttpConnectorFuture::ready(Err(ConnectorError::user("no answer left".into()))),
        }
    }
}

/// `application/x-www-form-urlencoded`, what EC2 and Elastic Load Balancing are asked in.
fn form(body: &str) -> BTreeMap<String, String> {
    let pairs = body.split('&').filter_map(|it| it.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut rest = text.bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|it| it.map_or(' ', char::from));
                let digits: String = digits.iter().collect();
                u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
            }
            other => other,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// Asserts that the request has these parameters, and these values of them.
#[track_caller]
pub fn assert_has(request: &BTreeMap<String, String>, wanted: &[(&str, &str)]) {
    for (name, value) in wanted {
        let found = request.get(*name).map(String::as_str);
        assert_eq!(found, Some(*value), "{name} in {request:#?}");
    }
}

/// Asserts that no parameter and no value has this text in it.
#[track_caller]
pub fn assert_lacks(request: &BTreeMap<String, String>, text: &str) {
    let found = request
        .iter()
        .find(|(name, value)| name.contains(text) || value.contains(text));
    assert_eq!(found, None, "{text} is not to be sent");
}

pub fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().expect("an id")
}
