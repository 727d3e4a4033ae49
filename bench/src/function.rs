//! One execution environment: a function's process, and the Runtime API it asks for work.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
//!
//! It is as thin as it can be, and the same for every function: AWS's emulator would add the same
//! milliseconds to both sides of a ratio, and blur it.

use crate::http::{Request, Response, serve};
use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener as Listener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

/// What to run.
#[derive(Debug, Clone)]
pub struct Program {
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
}

#[derive(Debug)]
pub struct Function {
    child: Mutex<Child>,
    jobs: UnboundedSender<Job>,
    idle: Arc<AtomicBool>,
    pub started: Instant,
    asked: watch::Receiver<Option<Instant>>,
}

#[derive(Debug)]
struct Job {
    payload: String,
    deadline: SystemTime,
    taken: oneshot::Sender<Instant>,
    reply: oneshot::Sender<Result<String, String>>,
}

/// The Runtime API of one process.
struct Api {
    jobs: tokio::sync::Mutex<UnboundedReceiver<Job>>,
    open: Mutex<BTreeMap<String, oneshot::Sender<Result<String, String>>>>,
    idle: Arc<AtomicBool>,
    asked: watch::Sender<Option<Instant>>,
    count: AtomicU64,
}

/// The function's answer, when it comes.
#[derive(Debug)]
pub struct Reply {
    taken: oneshot::Receiver<Instant>,
    reply: oneshot::Receiver<Result<String, String>>,
}

impl Function {
    pub fn start(program: &Program, endpoint: &str) -> io::Result<Self> {
        let listener = Listener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (sender, receiver) = unbounded_channel();
        let (asked, first) = watch::channel(None);
        let idle = Arc::new(AtomicBool::new(true));
        let api = Arc::new(Api {
            jobs: tokio::sync::Mutex::new(receiver),
            open: Mutex::default(),
            idle: idle.clone(),
            asked,
            count: AtomicU64::new(0),
        });
        tokio::spawn(serve(TcpListener::from_std(listener)?, move |request| {
            let api = api.clone();
            async move { api.answer(request).await }
        }));
        let started = Instant::now();
        let child = Command::new(&program.command[0])
            .args(&program.command[1..])
            .env_clear()
            .envs(&program.environment)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_ENDPOINT_URL", endpoint)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            child: Mutex::new(child),
            jobs: sender,
            idle,
            started,
            asked: first,
        })
    }

    /// When the process first asked for work.
    pub async fn ready(&self) -> io::Result<Instant> {
        let mut asked = self.asked.clone();
        let wait = asked.wait_for(|it| it.is_some());
        let asked = tokio::time::timeout(Duration::from_secs(20), wait).await;
        let asked = asked.map_err(io::Error::other)?.map_err(io::Error::other)?;
        asked.ok_or_else(|| io::Error::other("never asked for work"))
    }

    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Acquire)
    }

    /// One at a time: ask `is_idle` first.
    pub fn invoke(&self, payload: String, timeout: Duration) -> Reply {
        self.idle.store(false, Ordering::Release);
        let ((taken, when), (reply, answer)) = (oneshot::channel(), oneshot::channel());
        let deadline = SystemTime::now() + timeout;
        let job = Job {
            payload,
            deadline,
            taken,
            reply,
        };
        self.jobs.send(job).ok();
        Reply {
            taken: when,
            reply: answer,
        }
    }

    /// The most memory the process ever had (`VmHWM`), in KiB.
    pub fn peak_memory(&self) -> u64 {
        let pid = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
        line.and_then(|it| it.split_whitespace().next()?.parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        child.kill().ok();
        child.wait().ok();
    }
}

impl Reply {
    /// When the event was handed out, and what came of it.
    pub async fn timed(self) -> io::Result<(Instant, String)> {
        let taken = self.taken.await.map_err(io::Error::other)?;
        let reply = self.reply.await.map_err(io::Error::other)?;
        Ok((taken, reply.map_err(io::Error::other)?))
    }
}

impl IntoFuture for Reply {
    type Output = io::Result<String>;
    type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.timed().await.map(|(_, answer)| answer) })
    }
}

impl Api {
    async fn answer(&self, request: Request) -> Response {
        let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            [_, "runtime", "invocation", "next"] => self.next(request.received).await,
            [_, "runtime", "invocation", id, kind] => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                let result = if *kind == "response" {
                    Ok(body)
                } else {
                    Err(body)
                };
                let open = self
                    .open
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(*id);
                self.idle.store(true, Ordering::Release);
                if let Some(reply) = open {
                    reply.send(result).ok();
                }
                Response::new(202, "{}")
            }
            _ => Response::new(202, "{}"),
        }
    }

    async fn next(&self, received: Instant) -> Response {
        self.asked
            .send_if_modified(|it| it.replace(received).is_none());
        let Some(job) = self.jobs.lock().await.recv().await else {
            return Response::new(500, "{}");
        };
        let id = format!("bench-{}", self.count.fetch_add(1, Ordering::Relaxed));
        let deadline = job.deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(id.clone(), job.reply);
        job.taken.send(Instant::now()).ok();
        Response::new(200, job.payload)
            .with("content-type", "application/json")
            .with("lambda-runtime-aws-request-id", id)
            .with(
                "lambda-runtime-deadline-ms",
                deadline.as_millis().to_string(),
            )
            .with(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:eu-west-1:123456789012:function:bench",
            )
            .with("lambda-runtime-trace-id", "Root=1-0-0;Sampled=0")
    }
}
