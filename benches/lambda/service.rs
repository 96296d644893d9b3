//! A stand-in of AWS's Runtime API: hands out events one by one, takes the answers, and looks at the clock.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Who does not answer for so long is broken.
const LONGEST: Duration = Duration::from_secs(20);

/// The service as one function sees it.
pub struct Service {
    listener: TcpListener,
    connection: Option<BufReader<TcpStream>>,
}

/// What a function answered.
pub struct Answer {
    pub body: Vec<u8>,
    /// How long it took, from the event's first byte to the answer's last.
    pub took: Duration,
    pub at: Instant,
}

/// What the function asked for.
enum Request {
    Next,
    Response(Vec<u8>),
    Other(String),
}

impl Service {
    pub fn new() -> Result<Self, String> {
        let listener = || -> std::io::Result<TcpListener> {
            // To Linux the time limit of reading is that of accepting as well, though no listener of Rust's can be given one.
            let socket = TcpStream::from(OwnedFd::from(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?));
            socket.set_read_timeout(Some(LONGEST))?;
            Ok(TcpListener::from(OwnedFd::from(socket)))
        };
        listener().map(|listener| Self { listener, connection: None }).map_err(|error| error.to_string())
    }

    pub fn address(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|error| error.to_string())
    }

    /// One event and its answer.
    pub fn ask(&mut self, event: &[u8]) -> Result<Answer, String> {
        let Request::Next = self.request()? else { return Err("the function answers where it has to ask".to_owned()) };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: synthetic-request\r\n\
             lambda-runtime-deadline-ms: 4102444800000\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:validator\r\ncontent-length: {}\r\n\r\n",
            event.len(),
        );
        let message = [head.as_bytes(), event].concat();
        let begin = Instant::now();
        self.say(&message)?;
        let body = match self.request()? {
            Request::Response(body) => body,
            Request::Next => return Err("the function asks where it has to answer".to_owned()),
            Request::Other(line) => return Err(format!("the function says {line}")),
        };
        let at = Instant::now();
        self.say(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
        Ok(Answer { body, took: at - begin, at })
    }

    fn say(&mut self, message: &[u8]) -> Result<(), String> {
        let connection = self.connection.as_mut().ok_or("nobody is there")?;
        connection.get_mut().write_all(message).map_err(|error| error.to_string())
    }

    /// The next request, on the connection that there is or on a new one.
    fn request(&mut self) -> Result<Request, String> {
        loop {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                None => {
                    let accept = || -> std::io::Result<TcpStream> {
                        let (stream, _) = self.listener.accept()?;
                        stream.set_nodelay(true)?;
                        stream.set_read_timeout(Some(LONGEST))?;
                        Ok(stream)
                    };
                    let stream = accept().map_err(|error| format!("the function does not come: {error}"))?;
                    self.connection.insert(BufReader::with_capacity(64 * 1024, stream))
                }
            };
            match read(connection)? {
                Some(request) => return Ok(request),
                None => self.connection = None,
            }
        }
    }
}

/// One request; `None` where the connection ended before it.
fn read(connection: &mut BufReader<TcpStream>) -> Result<Option<Request>, String> {
    let failed = |error: std::io::Error| format!("the function does not go on: {error}");
    let mut first = String::new();
    if connection.read_line(&mut first).map_err(failed)? == 0 {
        return Ok(None);
    }
    let (mut length, mut line) = (0, String::new());
    while line != "\r\n" {
        line.clear();
        if connection.read_line(&mut line).map_err(failed)? == 0 {
            return Err("the function broke off".to_owned());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(|_| "a length that is none".to_owned())?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).map_err(failed)?;
    let path = first.split(' ').nth(1).unwrap_or_default();
    Ok(Some(match path {
        "/2018-06-01/runtime/invocation/next" => Request::Next,
        _ if path.ends_with("/response") => Request::Response(body),
        _ => Request::Other(format!("{} {}", first.trim(), String::from_utf8_lossy(&body))),
    }))
}
