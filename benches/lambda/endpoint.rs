//! The issuer's key endpoint, once over http and once over https, and an account of its own work.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{certificate, process};

/// Where Debian, Fedora and Amazon Linux keep the public authorities.
const SYSTEM_AUTHORITIES: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// An endpoint that serves one document.
pub struct Endpoint {
    pub url: String,
    /// The folder of its thread in `/proc`.
    thread: PathBuf,
}

/// Both endpoints, and what their callers have to be told.
pub struct Endpoints {
    pub http: Endpoint,
    pub https: Endpoint,
    /// The authority of `https`, alone.
    pub authority: PathBuf,
    /// The same behind the system's authorities: what a Python function reads, where it is deployed as well.
    pub authorities: PathBuf,
}

impl Endpoint {
    /// CPU time that it has spent so far.
    pub fn work(&self) -> Duration {
        process::cpu_of(&self.thread)
    }

    /// One connection after the other: there is one caller at a time.
    fn start(document: &str, tls: Option<Arc<ServerConfig>>) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let url = if tls.is_some() { format!("https://localhost:{port}/jwks") } else { format!("http://127.0.0.1:{port}/jwks") };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{document}", document.len());
        let (sender, thread) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = sender.send(process::own_thread());
            for stream in listener.incoming().flatten() {
                let _ = stream.set_nodelay(true);
                match &tls {
                    None => serve(stream, &answer),
                    Some(tls) => {
                        if let Ok(connection) = ServerConnection::new(Arc::clone(tls)) {
                            serve(StreamOwned::new(connection, stream), &answer);
                        }
                    }
                }
            }
        });
        let thread = thread.recv().ok().flatten().ok_or("no /proc here")?;
        Ok(Self { url, thread })
    }
}

impl Endpoints {
    pub fn start(document: &str, folder: &Path) -> Result<Self, String> {
        let (certificate, key) = certificate::self_signed();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|error| error.to_string())?];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| error.to_string())?;
        let tls = ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| error.to_string())?;
        let system = SYSTEM_AUTHORITIES.iter().find_map(|path| std::fs::read_to_string(path).ok());
        if system.is_none() {
            eprintln!("lambda: no system authorities here: Python reads one authority where it usually reads 150, and looks better for it");
        }
        let (authority, authorities) = (folder.join("authority.pem"), folder.join("authorities.pem"));
        std::fs::write(&authority, &certificate).map_err(|error| error.to_string())?;
        std::fs::write(&authorities, system.unwrap_or_default() + &certificate).map_err(|error| error.to_string())?;
        Ok(Self { http: Endpoint::start(document, None)?, https: Endpoint::start(document, Some(tls.into()))?, authority, authorities })
    }
}

/// Answers on one connection until either end has enough.
fn serve(stream: impl Read + Write, answer: &str) {
    let mut stream = BufReader::new(stream);
    let mut close = false;
    while !close {
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            match stream.read_line(&mut line) {
                Ok(1..) => close |= line.eq_ignore_ascii_case("connection: close\r\n"),
                _ => return,
            }
        }
        if stream.get_mut().write_all(answer.as_bytes()).and_then(|()| stream.get_mut().flush()).is_err() {
            return;
        }
    }
}
