//! A deadline for the first bytes of a connection.
//!
//! HTTP/1.1 and HTTP/2 come in at the same port, so the library first waits for enough bytes to
//! tell them apart, and for that wait it knows no limit: whoever connects and says nothing, or
//! says half of HTTP/2's first line, would keep the connection for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::accept::Accept;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// What an HTTP/2 connection begins with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Accepts as `inner` does, and holds what comes out of it to the deadline.
#[derive(Clone)]
pub(super) struct Punctual<A> {
    pub inner: A,
    pub within: Duration,
}

impl<A, I, S> Accept<I, S> for Punctual<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Hurried<A::Stream>;
    type Service = A::Service;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepted, within) = (self.inner.accept(stream, service), self.within);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            Ok((Hurried { stream, seen: 0, deadline: Some(Box::pin(sleep(within))) }, service))
        })
    }
}

/// A connection whose protocol is not known yet; then, one like any other.
pub(super) struct Hurried<S> {
    stream: S,
    /// How much of the preface has come.
    seen: usize,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Hurried<S> {
    /// The deadline ends where the library stops waiting: at the first byte that is not HTTP/2's,
    /// or at the preface's last.
    fn heard(&mut self, bytes: &[u8]) {
        let expected = PREFACE.get(self.seen..).unwrap_or_default();
        let same = bytes.iter().zip(expected).take_while(|(own, expected)| own == expected).count();
        self.seen += same;
        if same < bytes.len() || self.seen == PREFACE.len() {
            self.deadline = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Hurried<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if self.deadline.is_some() {
            self.heard(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Hurried<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
