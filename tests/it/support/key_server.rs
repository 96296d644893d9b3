//! A server on loopback that publishes a key set, counts who asks, and can fail in many ways.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// How it answers.
#[derive(Clone, Debug)]
pub enum Mood {
    Publishes(String),
    /// The same, after a while.
    PublishesAfter(Duration, String),
    /// The same, with what a cache may do with it.
    PublishesFor(&'static str, String),
    /// Takes the connection and never answers.
    Hangs,
    Fails,
    Html,
    /// More than anybody reads.
    Endless,
    Redirects(String),
}

pub struct KeyServer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    mood: Arc<Mutex<Mood>>,
}

impl KeyServer {
    pub async fn start(mood: Mood) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, mood) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(mood)));
        let (count, current) = (Arc::clone(&asked), Arc::clone(&mood));
        let answer = move || {
            count.fetch_add(1, Ordering::SeqCst);
            let mood = current.lock().expect("the mood").clone();
            respond(mood)
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Self { address, asked, mood }
    }

    pub fn uri(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn turn(&self, mood: Mood) {
        *self.mood.lock().expect("the mood") = mood;
    }
}

async fn respond(mood: Mood) -> Response {
    match mood {
        Mood::Publishes(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Mood::PublishesAfter(wait, text) => {
            tokio::time::sleep(wait).await;
            ([(header::CONTENT_TYPE, "application/json")], text).into_response()
        }
        Mood::PublishesFor(cache_control, text) => {
            ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, cache_control)], text).into_response()
        }
        Mood::Hangs => std::future::pending().await,
        Mood::Fails => (StatusCode::INTERNAL_SERVER_ERROR, "{\"keys\":[]}").into_response(),
        Mood::Html => "<!doctype html><p>Sign in to the wireless network".into_response(),
        Mood::Endless => " ".repeat(8 << 20).into_response(),
        Mood::Redirects(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
    }
}
