//! The functions' processes: each on a core of its own, whoever feeds them on another.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The core of the functions, and that of whoever feeds them.
const FUNCTION_CORE: &str = "0";
const OWN_CORE: &str = "1";

/// A function that runs. It ends with this value.
pub struct Process {
    child: Child,
    /// Just before it was started.
    pub begin: Instant,
}

/// Leaves the functions' core to them. Called before there are further threads: they inherit it.
pub fn pin_this_process() {
    if !pin(OWN_CORE, &std::process::id().to_string()) {
        eprintln!("lambda: no taskset, or no second core: the figures are worse for it");
    }
}

fn pin(core: &str, id: &str) -> bool {
    let done = Command::new("taskset").args(["-cp", core, id]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

/// The folder of the calling thread in `/proc`.
pub fn own_thread() -> Option<PathBuf> {
    fs::read_link("/proc/thread-self").ok().map(|thread| Path::new("/proc").join(thread))
}

/// CPU time of a thread that sleeps, by its folder in `/proc`: of one that runs, the kernel's account is a little old.
pub fn cpu_of(thread: &Path) -> Duration {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or_default())
}

impl Process {
    /// A program in between (`taskset` before the command) would be part of the start, so a thread goes to that core
    /// first: what it starts is there as well.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        let start = || {
            if let Some(id) = own_thread().as_deref().and_then(Path::file_name).and_then(|name| name.to_str()) {
                pin(FUNCTION_CORE, id);
            }
            let begin = Instant::now();
            command
                .spawn()
                .map(|child| Self { child, begin })
                .map_err(|error| format!("{:?} does not start: {error}", command.get_program()))
        };
        std::thread::scope(|scope| scope.spawn(start).join().map_err(|_| "a thread broke".to_owned())?)
    }

    /// CPU time of all its threads so far, user and system.
    pub fn cpu(&self) -> Result<Duration, String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).map_err(|error| format!("/proc: {error}"))?;
        Ok(tasks.flatten().map(|task| cpu_of(&task.path())).sum())
    }

    /// The most memory that it has held, in MB.
    pub fn peak_mb(&self) -> Result<f64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).map_err(|error| format!("/proc: {error}"))?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kib.map(|kib| kib * 1024.0 / 1e6).ok_or_else(|| "/proc has no VmHWM".to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
