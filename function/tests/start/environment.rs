//! Endpoints set in the environment.

use super::process::{Endpoint, run};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Headers and body of a call, which is refused.
fn call(mut stream: TcpStream) -> String {
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    while !text.contains("Action=") {
        match stream.read(&mut bytes) {
            Ok(count) if count > 0 => text.push_str(&String::from_utf8_lossy(&bytes[..count])),
            _ => return text,
        }
    }
    let refused = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(refused).ok();
    text
}

#[test]
fn a_service_may_have_an_endpoint_of_its_own() {
    let (ec2, others) = (Endpoint::open(call), Endpoint::open(call));
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    run(&[
        ("AWS_ENDPOINT_URL", &url(others.port)),
        ("AWS_ENDPOINT_URL_EC2", &url(ec2.port)),
    ]);
    let signed = |it: &String, service: &str| it.contains(&format!("/{service}/aws4_request"));
    let (ec2, others) = (ec2.close(), others.close());
    assert!(ec2.iter().all(|it| signed(it, "ec2")), "{ec2:?}");
    let balancing = |it: &String| signed(it, "elasticloadbalancing");
    assert!(others.iter().all(balancing), "{others:?}");
    assert!(!ec2.is_empty() && !others.is_empty());
}
