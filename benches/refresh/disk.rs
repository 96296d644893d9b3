//! What the disk takes for one sync, measured beside the database and between the runs.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Instant;

use crate::holder::percentile;

/// A page of SQLite.
const PAGE: [u8; 4096] = [0x5a; 4096];
/// How long the file is: it is written over, as SQLite does with its journal.
const PAGES: u64 = 256;
/// How many syncs are timed each time.
const TIMES: u64 = 100;

/// A file on the database's disk, gone with the database's folder.
pub struct Disk(File);

/// How long syncs took, in ms; sorted.
#[derive(Clone, Debug)]
pub struct Sync(Vec<f64>);

impl Disk {
    pub fn beside(database: &Path) -> Result<Self, String> {
        let file = File::create(database.with_extension("sync")).map_err(|error| error.to_string())?;
        for page in 0..PAGES {
            file.write_all_at(&PAGE, page * PAGE.len() as u64).map_err(|error| error.to_string())?;
        }
        file.sync_all().map_err(|error| error.to_string())?;
        Ok(Self(file))
    }

    /// Writes a page and syncs it, again and again: the least that one durable request each would take.
    pub fn syncs(&self) -> Result<Sync, String> {
        let mut times = Vec::new();
        for time in 0..TIMES {
            let begin = Instant::now();
            let written = self.0.write_all_at(&PAGE, (time % PAGES) * PAGE.len() as u64).and_then(|()| self.0.sync_data());
            written.map_err(|error| error.to_string())?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_unstable_by(f64::total_cmp);
        Ok(Sync(times))
    }
}

impl Sync {
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self.0.sort_unstable_by(f64::total_cmp);
        self
    }

    /// As it would be on a disk that takes so much longer.
    pub fn slower_by(mut self, longer: std::time::Duration) -> Self {
        self.0.iter_mut().for_each(|time| *time += longer.as_secs_f64() * 1e3);
        self
    }

    /// The time that this share of the syncs stays below, in ms.
    pub fn percentile(&self, share: f64) -> f64 {
        percentile(&self.0, share)
    }

    /// What one takes on average, in ms: a disk that is mostly quick and now and then slow is as fast as that.
    pub fn mean(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
        let count = self.0.len() as f64;
        self.0.iter().sum::<f64>() / count.max(1.0)
    }
}
