//! F-07: the disk is full for a while.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Fault;
use crate::support::{Installation, Kind, Load, Particulars, Plan, Server, Traffic, pause, tokens_of, verify};

pub const FAULT: Fault = Fault {
    id: "F-07",
    what: "the disk is full",
    pass: "nothing acknowledged that is not kept, keys and introspection always, as before within 5 s of there being room",
    on: &[Kind::Sqlite],
    run: |plan| Box::pin(run(plan)),
};

async fn run(plan: Plan) -> String {
    let Some(disk) = SmallDisk::mount() else {
        return "not run: no small disk can be mounted here, which takes the rights of root".to_owned();
    };
    let installation = Installation::on_sqlite_in(&disk.0, Particulars::default()).await;
    let server = Server::start(&installation).await;
    let app = installation.clients(&[server.port]);
    let mut family = app.authorize(0, false).await.expect("a code");
    family.tokens.push(tokens_of(&app.redeem(&family).await.expect("tokens"), &family));
    let traffic = Traffic::start(&app, Load::without_end(8));
    pause(1000).await;

    let filler = disk.fill();
    let (begin, length) = (Instant::now(), Duration::from_secs(plan.either(5, 300)));
    let (mut reads, mut refused) = (0, 0);
    while begin.elapsed() < length {
        let keys = app.http.get("/.well-known/jwks.json", &[]).await.expect("reads go on");
        assert_eq!(keys.status, 200, "{}", keys.body);
        let active = app.introspect(&family.latest().access).await.expect("reads go on");
        // Its life is ten minutes, which the long form stays below.
        assert_eq!(active.json()["active"], true, "{}", active.body);
        reads += 2;
        refused += u64::from(app.assert(&app.assertion()).await.is_err());
        pause(10).await;
    }
    assert!(refused > 0, "the disk was never full");
    std::fs::remove_file(filler).expect("room again");
    let room = Instant::now();
    while app.assert(&app.assertion()).await.is_err() {
        assert!(room.elapsed() < Duration::from_secs(20), "writes are still refused");
        pause(10).await;
    }
    let back = room.elapsed();
    let ledger = traffic.stop().await;
    let acknowledged = ledger.answered;
    verify(&app, ledger).await;
    assert!(back <= Duration::from_secs(5), "as before only after {back:?}");
    format!(
        "{refused} writes refused, {reads} of {reads} reads answered; as before within {} ms; {acknowledged} answers kept, 0 lost",
        back.as_millis()
    )
}

/// A disk in memory, for as long as the test runs.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let options = ["-t", "tmpfs", "-o", "size=48m,mode=0700", "admit-faults"];
        if Command::new("mount").args(options).arg(&folder).output().is_ok_and(|done| done.status.success()) {
            return Some(Self(folder));
        }
        std::fs::remove_dir(&folder).expect("an empty folder");
        None
    }

    /// Leaves no room for one more page.
    fn fill(&self) -> PathBuf {
        use std::io::Write as _;
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).expect("a file");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}
