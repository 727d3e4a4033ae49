//! Which servers the function takes for AWS: the built function, talking to a server with a certificate of an
//! authority that Amazon has nothing to do with.

use super::process::{Endpoint, run};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

const CERTIFICATE: &[u8] = include_bytes!("trust/localhost.der");
const KEY: &[u8] = include_bytes!("trust/localhost.key.der");

/// The beginning of a request, which is refused; or why there was none.
fn request(mut stream: TcpStream, config: &Arc<ServerConfig>) -> io::Result<String> {
    let mut tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    let mut tls = Stream::new(&mut tls, &mut stream);
    let mut text = [0; 16];
    tls.read_exact(&mut text)?;
    tls.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
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

/// The result of each connection, with this store as the system's.
fn connections(store: &str) -> Vec<io::Result<String>> {
    let config = config();
    let endpoint = Endpoint::open(move |stream| request(stream, &config));
    let store = format!("{}/{store}", env!("CARGO_MANIFEST_DIR"));
    let url = format!("https://localhost:{}", endpoint.port);
    run(&[("AWS_ENDPOINT_URL", &url), ("SSL_CERT_FILE", &store)]);
    endpoint.close()
}

#[test]
fn a_server_vouched_for_by_the_systems_store_alone_is_trusted() {
    let all = connections("tests/start/trust/authority.pem");
    assert!(all[0].is_err(), "Amazon does not vouch: {all:?}");
    let called = |it: &io::Result<String>| it.as_ref().is_ok_and(|it| it.starts_with("POST / "));
    assert!(all.iter().any(called), "{all:?}");
}

/// Five calls are made, the first of them with both stores.
#[test]
fn a_server_of_an_unknown_authority_is_not_trusted() {
    let all = connections("src/trust/amazon.pem");
    assert!(all.len() >= 6 && all.iter().all(Result::is_err), "{all:?}");
}
