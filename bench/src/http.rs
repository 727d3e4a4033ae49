//! A small HTTP/1.1 server: requests one after another on a connection, bodies of known length or in
//! chunks, connections kept open. Enough for the AWS SDKs and for the Lambda Runtime API.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug)]
pub struct Request {
    pub path: String,
    /// `X-Amz-Target`: the call, where the body does not name it.
    pub target: Option<String>,
    pub body: Vec<u8>,
    /// When the last byte had come.
    pub received: Instant,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Response {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        let (headers, body) = (Vec::new(), body.into());
        Self {
            status,
            headers,
            body,
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Answers for ever, each connection by itself.
pub async fn serve<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let handler = Arc::new(handler);
    while let Ok((stream, _)) = listener.accept().await {
        let handler = handler.clone();
        tokio::spawn(async move {
            // The other side has closed the connection: there is no answer to send.
            talk(stream, &*handler).await.ok();
        });
    }
}

async fn talk<H, F>(stream: TcpStream, handler: &H) -> io::Result<()>
where
    H: Fn(Request) -> F,
    F: Future<Output = Response>,
{
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(16 * 1024, stream);
    while let Some(request) = read(&mut stream).await? {
        let Response {
            status,
            headers,
            body,
        } = handler(request).await;
        let mut text = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            text.extend([name, ": ", &value, "\r\n"]);
        }
        text += "\r\n";
        text += &body;
        stream.get_mut().write_all(text.as_bytes()).await?;
    }
    Ok(())
}

/// None when the other side has closed the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let path = words.nth(1);
    let (mut length, mut chunked, mut target) = (0, false, None);
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().map_err(io::Error::other)?,
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "x-amz-target" => target = Some(value.to_owned()),
            _ => {}
        }
    }
    let body = if chunked {
        chunks(stream).await?
    } else {
        exactly(stream, length).await?
    };
    Ok(Some(Request {
        path: path.unwrap_or_default(),
        target,
        body,
        received: Instant::now(),
    }))
}

async fn exactly(stream: &mut BufReader<TcpStream>, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

async fn chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        body.extend(exactly(stream, size).await?);
        line.clear();
        stream.read_line(&mut line).await?;
        if size == 0 {
            return Ok(body);
        }
    }
}
