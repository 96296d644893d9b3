//! How long the server takes from its start to its first answer.

use std::path::Path;
use std::time::Instant;

use crate::measurement::median;
use crate::process::Server;
use crate::stage::Stage;

/// How often it is started.
const TIMES: usize = 10;

/// The median of the time to the first 200, in ms, with a database that is there.
pub fn measure(program: &Path, stage: &Stage) -> Result<f64, String> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begin = Instant::now();
        let mut server = Server::admit(program, &stage.database(), &[])?;
        times.push(server.wait_until_ready(begin)?.as_secs_f64() * 1e3);
    }
    Ok(median(&times))
}
