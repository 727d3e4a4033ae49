//! One account of AWS behind one port: every call takes the same time, takes its tokens, and is
//! written down.

use crate::http::{Request, Response, serve};
use crate::limits::{self, Buckets};
use crate::pace::Pace;
use crate::queue::Inbox;
use crate::wire::{self, query::Parameters, xml};
use serde_json::{Value, json};
use spot_rescue::sim::World;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    pub action: String,
    pub about: Vec<String>,
    pub received: Instant,
    /// None while it is under way.
    pub answered: Option<Instant>,
    /// AWS's second of the answer.
    pub second: f64,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Throttled,
    Refused,
}

#[derive(Debug)]
pub struct Endpoint {
    pub world: World,
    pub inbox: Inbox,
    pub pace: Pace,
    pub url: String,
    latency: Duration,
    buckets: Mutex<Buckets>,
    calls: Mutex<Vec<Call>>,
}

impl Endpoint {
    /// Listens until the runtime ends.
    pub async fn open(
        world: World,
        pace: Pace,
        latency: Duration,
        buckets: Buckets,
        visibility: Duration,
    ) -> std::io::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = Arc::new(Self {
            world,
            inbox: Inbox::new(pace.clone(), visibility),
            pace,
            url: format!("http://{}", listener.local_addr()?),
            latency,
            buckets: Mutex::new(buckets),
            calls: Mutex::new(Vec::new()),
        });
        let answering = endpoint.clone();
        tokio::spawn(serve(listener, move |request| {
            let endpoint = answering.clone();
            async move { endpoint.answer(request).await }
        }));
        Ok(endpoint)
    }

    pub fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request) -> Response {
        let due = request.received + self.latency;
        let (position, response) = self.perform(&request).await;
        // The timer is coarse: half a millisecond early is closer than one late.
        let early = due.checked_sub(Duration::from_micros(500)).unwrap_or(due);
        if early > Instant::now() {
            tokio::time::sleep_until(early.into()).await;
        }
        // A call that was under way when the list was emptied belongs to no measurement.
        if let Some(call) = self.calls().get_mut(position) {
            (call.answered, call.second) = (Some(Instant::now()), self.pace.seconds());
        }
        response
    }

    async fn perform(&self, request: &Request) -> (usize, Response) {
        if let Some(target) = &request.target {
            return self.json(target, request);
        }
        if request.path.starts_with("/targetgroups") {
            // VPC Lattice: there is none.
            let position = self.note(
                "ListTargetGroups",
                Vec::new(),
                request.received,
                Outcome::Done,
            );
            let response = Response::new(200, json!({ "items": [] }).to_string());
            return (position, response.with("content-type", "application/json"));
        }
        let p = Parameters::parse(&request.body);
        let action = p.get("Action").to_owned();
        let is_elb = p.get("Version") != "2016-11-15";
        let buckets = if is_elb {
            limits::elb(&action)
        } else {
            limits::ec2(&action)
        };
        let about = wire::about(&action, &p);
        if !self.admit(&buckets) {
            let position = self.note(&action, about, request.received, Outcome::Throttled);
            let response = if is_elb {
                Response::new(400, xml::elb_error("Throttling", "Rate exceeded"))
            } else {
                let message = "Request limit exceeded.";
                Response::new(503, xml::ec2_error("RequestLimitExceeded", message))
            };
            return (position, response);
        }
        let answer = if is_elb {
            wire::elb(&self.world, &action, &p).await
        } else {
            wire::ec2(&self.world, &action, &p).await
        };
        let outcome = if answer.is_ok() {
            Outcome::Done
        } else {
            Outcome::Refused
        };
        let position = self.note(&action, about, request.received, outcome);
        let response = match answer {
            Ok(text) => Response::new(200, text).with("content-type", "text/xml;charset=UTF-8"),
            Err(error) if is_elb => Response::new(400, xml::elb_error(&error.code, &error.message)),
            Err(error) => Response::new(400, xml::ec2_error(&error.code, &error.message)),
        };
        (position, response)
    }

    /// SQS.
    fn json(&self, target: &str, request: &Request) -> (usize, Response) {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        if action == "GetSecretValue" {
            let secret = self.world.look(|it| it.secret.clone()).unwrap_or_default();
            let answer = json!({ "Name": "seal", "SecretString": secret }).to_string();
            let position = self.note(&action, Vec::new(), request.received, Outcome::Done);
            let json = "application/x-amz-json-1.1";
            return (
                position,
                Response::new(200, answer).with("content-type", json),
            );
        }
        let answer = match action.as_str() {
            "ReceiveMessage" => self.received(),
            "DeleteMessageBatch" => self.deleted(&body),
            _ => self.sent(&body),
        };
        let position = self.note(&action, Vec::new(), request.received, Outcome::Done);
        let response = Response::new(200, answer.to_string());
        (
            position,
            response.with("content-type", "application/x-amz-json-1.0"),
        )
    }

    /// Its receipt is its id.
    fn received(&self) -> Value {
        let received = self.inbox.receive(10).into_iter();
        let messages = received
            .map(|it| json!({ "MessageId": it.id, "ReceiptHandle": it.id, "Body": it.body }));
        json!({ "Messages": messages.collect::<Vec<_>>() })
    }

    fn deleted(&self, body: &Value) -> Value {
        let entries = body["Entries"].as_array().cloned().unwrap_or_default();
        let receipts = entries.iter().filter_map(|it| it["ReceiptHandle"].as_str());
        self.inbox.delete(&receipts.map(str::to_owned).collect());
        let done = entries.iter().map(|it| json!({ "Id": it["Id"] }));
        json!({ "Successful": done.collect::<Vec<_>>(), "Failed": [] })
    }

    fn sent(&self, body: &Value) -> Value {
        let send = |it: &Value| {
            let text = it["MessageBody"].as_str().unwrap_or_default();
            self.inbox
                .send(text.to_owned(), it["DelaySeconds"].as_u64().unwrap_or(0))
        };
        match body["Entries"].as_array() {
            None => json!({ "MessageId": send(body), "MD5OfMessageBody": "" }),
            Some(entries) => {
                let answers = entries.iter().map(
                    |it| json!({ "Id": it["Id"], "MessageId": send(it), "MD5OfMessageBody": "" }),
                );
                json!({ "Successful": answers.collect::<Vec<_>>(), "Failed": [] })
            }
        }
    }

    fn admit(&self, buckets: &[(String, limits::Limit)]) -> bool {
        let mut all = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        all.admit(buckets, self.pace.seconds())
    }

    fn note(&self, action: &str, about: Vec<String>, received: Instant, outcome: Outcome) -> usize {
        let mut calls = self.calls();
        calls.push(Call {
            action: action.to_owned(),
            about,
            received,
            answered: None,
            second: 0.0,
            outcome,
        });
        calls.len() - 1
    }
}
