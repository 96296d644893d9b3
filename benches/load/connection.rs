//! One HTTP/1.1 connection that is kept: as little work per request as can be, so that the client
//! is not what is measured.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpStream;

/// The longest answer that is read.
const MAX_ANSWER: usize = 1 << 20;

/// A connection, and the last answer that came over it.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, as it lies in the connection's buffer.
pub struct Answer<'c> {
    pub status: u16,
    head: &'c str,
    pub body: &'c str,
}

impl Connection {
    pub async fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a whole request and reads a whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let mut rest = request;
        while !rest.is_empty() {
            match self.stream.try_write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(error) => return Err(error),
            }
        }
        self.buffer.clear();
        let mut end = None;
        loop {
            self.stream.readable().await?;
            let mut chunk = [0u8; 8192];
            match self.stream.try_read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            if self.buffer.len() > MAX_ANSWER {
                return Err(io::Error::other("the answer is too long"));
            }
            if end.is_none() {
                end = whole_answer(&self.buffer)?;
            }
            if let Some((head, whole)) = end
                && self.buffer.len() >= whole
            {
                return parse(&self.buffer, head, whole);
            }
        }
    }
}

/// How long the head and the whole answer are, once the head is there.
fn whole_answer(bytes: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..head]).map_err(io::Error::other)?;
    let length = header(text, "content-length").and_then(|text| text.parse::<usize>().ok());
    let length = length.ok_or_else(|| io::Error::other("an answer without a length"))?;
    Ok(Some((head, head + 4 + length)))
}

fn parse(bytes: &[u8], head: usize, whole: usize) -> io::Result<Answer<'_>> {
    let body = std::str::from_utf8(&bytes[head + 4..whole]).map_err(io::Error::other)?;
    let head = std::str::from_utf8(&bytes[..head]).map_err(io::Error::other)?;
    let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or_else(|| io::Error::other("no status"))?;
    Ok(Answer { status, head, body })
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    headers(head, name).next()
}

fn headers<'h>(head: &'h str, name: &str) -> impl Iterator<Item = &'h str> {
    head.split("\r\n").skip(1).filter_map(move |line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

impl Answer<'_> {
    pub fn location(&self) -> &str {
        header(self.head, "location").unwrap_or_default()
    }

    /// The cookies that are set, as `name=value`.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        headers(self.head, "set-cookie").filter_map(|line| line.split(';').next())
    }
}

/// A GET, ready to be sent.
pub fn get(port: u16, path: &str, cookies: &str) -> Vec<u8> {
    let cookie = if cookies.is_empty() { String::new() } else { format!("cookie: {cookies}\r\n") };
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{cookie}\r\n").into_bytes()
}

/// A form, ready to be sent; `more` are further header lines.
pub fn post(port: u16, path: &str, more: &str, form: &[(&str, &str)]) -> Vec<u8> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n{more}\r\n{body}",
        body.len(),
    )
    .into_bytes()
}
