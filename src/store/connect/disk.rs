//! Which disks SQLite may be on.

use std::path::Path;

/// File systems whose files are somewhere else, or shared with other machines, by the numbers that
/// Linux gives them (`statfs(2)`, `f_type`). Their locks and their memory maps do not hold what
/// SQLite's journal needs, and some acknowledge a sync that has not been made. A FUSE file system may
/// be anything, and is mostly something remote.
const NETWORK: &[(u32, &str)] = &[
    (0x0000_6969, "NFS"),
    (0x0000_517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "FUSE or virtiofs"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0000_564c, "NCP"),
    (0x0bd0_0bd0, "Lustre"),
    (0x00c3_6400, "Ceph"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x2003_0528, "OrangeFS"),
    (0xaad7_aaea, "PanFS"),
    (0x786f_4256, "a shared folder of VirtualBox"),
    (0xbacb_acbc, "a shared folder of VMware"),
];

/// What a file is on, or would be, if that is no disk for SQLite. What cannot be found out is taken
/// for a disk.
pub(super) fn network(file: &Path) -> Option<&'static str> {
    let file = std::path::absolute(file).ok()?;
    name(file.ancestors().find_map(kind)?)
}

fn name(kind: u32) -> Option<&'static str> {
    NETWORK.iter().find(|(own, _)| *own == kind).map(|(_, name)| *name)
}

#[cfg(target_os = "linux")]
fn kind(path: &Path) -> Option<u32> {
    // Signed or not, and of 32 or 64 bits: that differs between machines; the number has 32.
    u32::try_from(i128::from(rustix::fs::statfs(path).ok()?.f_type) & 0xffff_ffff).ok()
}

#[cfg(not(target_os = "linux"))]
fn kind(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_other_machines_are_known_by_their_numbers() {
        for (kind, expected) in [
            (0x6969, "NFS"),
            (0xff53_4d42, "CIFS"),
            (0xfe53_4d42, "SMB"),
            (0x0102_1997, "9p"),
            (0x6573_5546, "FUSE or virtiofs"),
            (0x5346_414f, "AFS"),
            (0x0bd0_0bd0, "Lustre"),
            (0x00c3_6400, "Ceph"),
        ] {
            assert_eq!(name(kind), Some(expected), "{kind:#x}");
        }
    }

    #[test]
    fn local_disks_are_not_among_them() {
        let local = [("ext4", 0xef53), ("xfs", 0x5846_5342), ("btrfs", 0x9123_683e), ("zfs", 0x2fc1_2fc1), ("tmpfs", 0x0102_1994)];
        let more = [("overlayfs", 0x794c_7630), ("f2fs", 0xf2f5_2010), ("ramfs", 0x8584_58f6), ("ecryptfs", 0xf15f), ("unknown", 0)];
        for (disk, kind) in local.into_iter().chain(more) {
            assert_eq!(name(kind), None, "{disk}");
        }
    }

    #[test]
    fn what_this_machine_has_is_looked_up() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(network(&dir.path().join("not/yet/there/admit.db")), None);
        assert!(cfg!(not(target_os = "linux")) || kind(Path::new("/proc")) == Some(0x9fa0));
    }
}
