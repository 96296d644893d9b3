#!/bin/bash
# Runs the scripts of files/ with stand-ins for everything that they call, and looks at what they called. Needs no rights, no disk and
# no network: tests/scripts.sh
set -euo pipefail
cd "$(dirname "$0")/../files"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"

# Writes down how it was called, and does what the test wants: ${NAME}_STATUS is its exit status, ${NAME}_OUTPUT what it prints.
cat >"$work/bin/stand-in" <<'STAND_IN'
#!/bin/bash
name=${0##*/}
variable=${name//[-.]/_}
echo "$name $*" >>"$CALLS"
case "$name $*" in
  "docker login"*) cat >"$WORK/login" ;;
  "aws s3 cp"*) cat >"$WORK/uploaded" ;;
esac
case "$name $*" in
  "aws ecr"*) echo the-password ;;
  "aws secretsmanager"*) [ -n "${SECRET-}" ] || exit 254; echo "$SECRET" ;;
  "docker exec"*) echo the-backup ;;
esac
# One kind of call can fail alone.
case "$name $*" in ${FAILS:-nothing}*) exit 1 ;; esac
status=${variable}_STATUS
exit "${!status:-0}"
STAND_IN
chmod +x "$work/bin/stand-in"
for name in aws blkid chown docker install mkdir mkfs.xfs mount mountpoint sleep xfs_growfs; do ln -s stand-in "$work/bin/$name"; done

# run SCRIPT VARIABLE=VALUE...: its exit status in $status, what it called in $calls, what it said in $said.
run() {
  local script=$1
  shift
  : >"$work/calls"
  status=0
  said=$(env -i PATH="$work/bin:/usr/bin:/bin" WORK="$work" CALLS="$work/calls" "$@" /bin/bash "$script" 2>&1) || status=$?
  calls=$(<"$work/calls")
}

tests=0
failed=0
# expect WHAT CONDITION...: a condition is a command.
expect() {
  tests=$((tests + 1))
  local what=$1
  shift
  if ! "$@"; then
    failed=$((failed + 1))
    printf 'FAILED  %s\n        exit status %s, said: %s\n        called:\n%s\n' "$what" "$status" "$said" "$calls" >&2
  fi
}
called() { grep -qxF -- "$1" "$work/calls"; }
never() { ! grep -q -- "^$1" "$work/calls"; }
ended_well() { [ "$status" -eq 0 ]; }
ended_badly() { [ "$status" -ne 0 ]; }

# --- volume.sh ----------------------------------------------------------

device=$work/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
volume=(VOLUME_ID=vol-0123456789abcdef0 DATA="$work/data" DEVICES="$work" ATTEMPTS=3)

run volume.sh "${volume[@]}" mountpoint_STATUS=32
expect "a volume that is not attached is an error" ended_badly
expect "and nothing is made or mounted" never "mk\|mount -o"
expect "after it was waited for" [ "$(grep -c '^sleep' "$work/calls")" = 3 ]

touch "$device"
run volume.sh "${volume[@]}" mountpoint_STATUS=32 blkid_STATUS=2
expect "an empty volume gets a file system" called "mkfs.xfs $device"
expect "without force" never "mkfs.xfs.* -f"
expect "and is mounted" called "mount -o noatime,nodev,nosuid,noexec $device $work/data"
expect "and Admit may write to it" called "install --directory --owner 65532 --group 65532 --mode 0700 $work/data/data"
expect "all is well" ended_well

run volume.sh "${volume[@]}" mountpoint_STATUS=32 blkid_STATUS=0
expect "a volume with something on it is not formatted" never mkfs
expect "but mounted" called "mount -o noatime,nodev,nosuid,noexec $device $work/data"

for wrong in 1 4 8; do
  run volume.sh "${volume[@]}" mountpoint_STATUS=32 blkid_STATUS=$wrong
  expect "a volume that cannot be read (blkid: $wrong) is an error" ended_badly
  expect "and neither formatted nor mounted" never "mkfs\|mount -o"
done

run volume.sh "${volume[@]}" mountpoint_STATUS=32 blkid_STATUS=2 mkfs_xfs_STATUS=1
expect "where mkfs refuses, nothing is mounted" never "mount -o"
expect "and it is an error" ended_badly

run volume.sh "${volume[@]}" mountpoint_STATUS=0
expect "a second run changes nothing" never "blkid\|mkfs\|mount -o"
expect "but lets the file system grow" called "xfs_growfs $work/data"

# --- prepare.sh ---------------------------------------------------------

rm "$work/bin/mkdir"
mkdir "$work/run"
prepare=(
  IMAGE=123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0 IMAGE_REGION=us-east-1 RUNTIME_DIRECTORY="$work/run"
  MASTER_KEY_SECRET_ARN=arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/master-key-AbCdEf
)

run prepare.sh "${prepare[@]}" SECRET=the-master-key "FAILS=docker image inspect"
expect "the image is fetched where it is not there" called "docker pull --quiet 123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
expect "from its registry" called "docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com"
expect "with a password that is in no argument" [ "$(<"$work/login")" = the-password ]
expect "and in no argument of another" never ".*the-password"
expect "the master key is where Admit looks for it" [ "$(<"$work/run/master.key")" = the-master-key ]
expect "readable by its owner alone" [ "$(stat --format %a "$work/run/master.key")" = 600 ]
expect "who is Admit" called "chown 65532:65532 $work/run/master.key"
expect "and nothing is said of it" [ -z "$(grep -F -e the-master-key -e the-password <<<"$said")" ]
expect "all is well" ended_well

run prepare.sh "${prepare[@]}" SECRET=the-master-key
expect "an image that is there is not fetched" never "docker pull\|docker login\|aws ecr"
expect "and one that a crash left behind does not hold the name" called "docker rm --force admit"

run prepare.sh "${prepare[@]}" SECRET=
expect "without a master key, Admit is not started" ended_badly

run prepare.sh "${prepare[@]}" SECRET=the-master-key "FAILS=docker [ip]"
expect "nor without an image" ended_badly

# --- backup.sh ----------------------------------------------------------

backup=(NAME=admit BACKUP_BUCKET=example-backups BACKUP_RECIPIENT=age1example)
metric="aws cloudwatch put-metric-data --namespace Admit --metric-name Backups --dimensions Name=admit --value 1"

run backup.sh "${backup[@]}"
expect "a backup is encrypted for the recipient" called "docker exec admit /admit backup --recipient age1example --to -"
expect "and sent to the bucket" grep -qE '^aws s3 cp --only-show-errors - s3://example-backups/admit/[0-9]{8}T[0-9]{6}Z\.age$' "$work/calls"
expect "as it is" [ "$(<"$work/uploaded")" = the-backup ]
expect "and counted" called "$metric"
expect "all is well" ended_well

for part in "docker exec" "aws s3"; do
  run backup.sh "${backup[@]}" "FAILS=$part"
  expect "where $part fails, it is an error" ended_badly
  expect "and no backup is counted" never "aws cloudwatch"
done

[ "$failed" -eq 0 ] || { echo "$failed of $tests failed" >&2; exit 1; }
echo "$tests passed"
