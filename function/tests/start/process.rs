//! The built function as Lambda starts it, but without any work: it opens its connections and ends. A local server in
//! place of AWS sees what it sends.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};

/// From start to end.
pub fn run(environment: &[(&str, &str)]) {
    let status = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env_clear()
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
        .env("AWS_LAMBDA_FUNCTION_NAME", "spot-rescue")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .envs(environment.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("the function starts");
}

/// A local server, and what it records of each connection.
pub struct Endpoint<T> {
    pub port: u16,
    closed: Arc<AtomicBool>,
    seen: JoinHandle<Vec<T>>,
}

impl<T: Send + 'static> Endpoint<T> {
    pub fn open(take: impl Fn(TcpStream) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let closed = Arc::new(AtomicBool::new(false));
        let is_open = {
            let closed = closed.clone();
            move |_: &TcpStream| !closed.load(Ordering::SeqCst)
        };
        let seen = spawn(move || {
            let streams = listener.incoming().map_while(Result::ok);
            streams.take_while(is_open).map(take).collect()
        });
        Self { port, closed, seen }
    }

    /// Everything there was.
    pub fn close(self) -> Vec<T> {
        self.closed.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).expect("it still listens");
        self.seen.join().expect("it has taken all")
    }
}
