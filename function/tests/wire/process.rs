//! The built function as Lambda starts it, with nobody who has work for it: it opens its connections, and
//! whoever it calls sees who it takes for AWS.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

pub struct Process(Child);

impl Process {
    pub fn start(environment: &[(&str, &str)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "nobody")
            .env("AWS_SECRET_ACCESS_KEY", "nobody")
            .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
            .env("AWS_LAMBDA_FUNCTION_NAME", "spot-rescue")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("the function starts"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Somebody who listens, and on which port.
pub fn endpoint() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    (listener, address.port())
}
