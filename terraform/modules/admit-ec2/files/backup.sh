#!/bin/bash
# A backup while Admit runs, encrypted before it leaves the container. What does not come to its end is no backup: `admit restore`
# refuses it, and nothing is counted.
set -euo pipefail

: "${NAME:?}" "${BACKUP_BUCKET:?}" "${BACKUP_RECIPIENT:?}"

docker exec admit /admit backup --recipient "$BACKUP_RECIPIENT" --to - |
  aws s3 cp --only-show-errors - "s3://$BACKUP_BUCKET/admit/$(date -u +%Y%m%dT%H%M%SZ).age"
aws cloudwatch put-metric-data --namespace Admit --metric-name Backups --dimensions "Name=$NAME" --value 1
