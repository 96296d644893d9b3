//! What the code under test writes to its log, for a test to read.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

/// The log of this thread, until it is dropped.
pub struct Log {
    lines: Lines,
    _guard: DefaultGuard,
    /// Where there is but one subscriber, `tracing` asks that of whichever thread comes to an event first whether anybody wants
    /// it, and remembers the "no" of a thread without. Where there are two, it asks both.
    _other: Dispatch,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Listens to everything, down to `trace`.
    pub fn listen() -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        let other = Dispatch::new(NoSubscriber::default());
        Self { lines, _guard: tracing::subscriber::set_default(subscriber), _other: other }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().expect("the log").clone()).expect("UTF-8")
    }

    /// The lines with this in them.
    pub fn lines_with(&self, part: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
    }
}
