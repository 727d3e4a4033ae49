//! What the environment says of endpoints.

use super::process::{Process, endpoint};
use std::io::Read;
use std::net::TcpListener;

/// The first call that comes: its headers and body.
fn call(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut text = String::new();
    while !text.contains("Action=") {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "not a call: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    text
}

#[test]
fn a_service_may_have_an_endpoint_of_its_own() {
    let ((ec2, port_of_ec2), (others, port)) = (endpoint(), endpoint());
    let _function = Process::start(&[
        ("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{port}")),
        (
            "AWS_ENDPOINT_URL_EC2",
            &format!("http://127.0.0.1:{port_of_ec2}"),
        ),
    ]);
    let (of_ec2, of_others) = (call(&ec2), call(&others));
    assert!(of_ec2.contains("/eu-west-1/ec2/aws4_request"), "{of_ec2}");
    let balancing = "/eu-west-1/elasticloadbalancing/aws4_request";
    assert!(of_others.contains(balancing), "{of_others}");
}
