#!/bin/bash
# Before Admit starts: the data volume. Waits until it is attached, makes a file system where there is nothing at all, and mounts
# it. It runs at every start, and a second run changes nothing.
set -euo pipefail

# What follows is set by /etc/admit/instance.env.
: "${VOLUME_ID:?}" "${DATA:=/var/lib/admit}" "${DEVICES:=/dev/disk/by-id}" "${ATTEMPTS:=900}"

# By its id: the names of NVMe devices change from one start to the next.
device=$DEVICES/nvme-Amazon_Elastic_Block_Store_${VOLUME_ID//-/}
for ((attempt = 0; attempt < ATTEMPTS; attempt++)); do
  [ ! -e "$device" ] || break
  sleep 2
done
[ -e "$device" ] || { echo "the volume $VOLUME_ID is not attached: there is no $device" >&2; exit 1; }

if ! mountpoint --quiet "$DATA"; then
  # 2 says that there is nothing that blkid knows. Whatever else goes wrong, nothing is made.
  status=0
  blkid --probe "$device" >/dev/null || status=$?
  case $status in
    0) ;;
    2) mkfs.xfs "$device" ;; # which refuses as well where it finds something: there is no --force
    *) echo "what is on the volume $VOLUME_ID cannot be read (blkid: $status)" >&2; exit 1 ;;
  esac
  mkdir -p "$DATA"
  mount -o noatime,nodev,nosuid,noexec "$device" "$DATA"
fi

# The volume may have been made larger.
xfs_growfs "$DATA" >/dev/null
install --directory --owner 65532 --group 65532 --mode 0700 "$DATA/data"
