//! Whom the function believes to be AWS: the built function, talking to a server with a certificate of an
//! authority that Amazon has nothing to do with.

use super::process::{Process, endpoint};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use std::io::{self, Read};
use std::net::TcpStream;
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

/// The function, with this store as the system's.
fn start(port: u16, store: &str) -> Process {
    let store = format!("{}/{store}", env!("CARGO_MANIFEST_DIR"));
    let url = format!("https://localhost:{port}");
    Process::start(&[("AWS_ENDPOINT_URL", &url), ("SSL_CERT_FILE", &store)])
}

#[test]
fn who_is_vouched_for_by_the_systems_store_alone_is_talked_to() {
    let ((listener, port), config) = (endpoint(), config());
    let _function = start(port, "tests/wire/trust/authority.pem");
    let mut answers = listener.incoming().map(|it| request(it.unwrap(), &config));
    assert!(answers.next().unwrap().is_err(), "Amazon does not vouch");
    let first = answers.find_map(Result::ok).unwrap();
    assert!(first.starts_with("POST / "), "{first:?}");
}

/// Five calls are made at once. The first that is refused is tried with the system's store: six connections
/// at the least.
#[test]
fn who_is_vouched_for_by_nobody_is_not() {
    let ((listener, port), config) = (endpoint(), config());
    let _function = start(port, "src/trust/amazon.pem");
    let answers = listener.incoming().map(|it| request(it.unwrap(), &config));
    let sent: Vec<String> = answers.take(6).filter_map(Result::ok).collect();
    assert_eq!(sent, Vec::<String>::new());
}
