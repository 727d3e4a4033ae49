//! Whom the function believes to be AWS: the built function, talking to a server with a certificate of an
//! authority that Amazon has nothing to do with.

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const CERTIFICATE: &[u8] = include_bytes!("trust/localhost.der");
const KEY: &[u8] = include_bytes!("trust/localhost.key.der");

/// What became of one connection: the first line of a request, or why there was none.
fn request(stream: TcpStream, config: &Arc<ServerConfig>) -> io::Result<String> {
    let mut stream = stream;
    let mut tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    let mut text = [0; 16];
    Stream::new(&mut tls, &mut stream).read_exact(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn config() -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = vec![CertificateDer::from(CERTIFICATE)];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has both versions");
    let config = config.with_no_client_auth().with_single_cert(chain, key);
    Arc::new(config.expect("the key is the certificate's"))
}

struct Function(Child);

impl Function {
    /// It opens connections as soon as it starts. Nobody has work for it.
    fn start(port: u16, store: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "nobody")
            .env("AWS_SECRET_ACCESS_KEY", "nobody")
            .env("AWS_ENDPOINT_URL", format!("https://localhost:{port}"))
            .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
            .env("AWS_LAMBDA_FUNCTION_NAME", "spot-rescue")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("SSL_CERT_FILE", store)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("the function starts"))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn here(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn who_is_vouched_for_by_the_systems_store_alone_is_talked_to() {
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), config());
    let port = listener.local_addr().unwrap().port();
    let _function = Function::start(port, &here("tests/wire/trust/authority.pem"));
    let mut answers = listener.incoming().map(|it| request(it.unwrap(), &config));
    assert!(answers.next().unwrap().is_err(), "Amazon does not vouch");
    let first = answers.find_map(Result::ok).unwrap();
    assert!(first.starts_with("POST / "), "{first:?}");
}

/// Five calls are made at once. The first that is refused is tried with the system's store: six connections
/// at the least.
#[test]
fn who_is_vouched_for_by_nobody_is_not() {
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), config());
    let port = listener.local_addr().unwrap().port();
    let _function = Function::start(port, &here("src/trust/amazon.pem"));
    let answers = listener.incoming().map(|it| request(it.unwrap(), &config));
    let sent: Vec<String> = answers.take(6).filter_map(Result::ok).collect();
    assert_eq!(sent, Vec::<String>::new());
}
