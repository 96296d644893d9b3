#!/bin/bash
# Before Admit starts: its image, and the master key, which is in memory alone (systemd's runtime directory) and goes when Admit
# stops.
set -euo pipefail

: "${IMAGE:?}" "${IMAGE_REGION:?}" "${MASTER_KEY_SECRET_ARN:?}" "${RUNTIME_DIRECTORY:?}"

# One that a crash left behind would hold the name.
docker rm --force admit >/dev/null 2>&1 || true

if ! docker image inspect "$IMAGE" >/dev/null 2>&1; then
  # The password of the registry is good for hours, and has no business on a disk.
  export DOCKER_CONFIG=$RUNTIME_DIRECTORY/docker
  aws ecr get-login-password --region "$IMAGE_REGION" | docker login --username AWS --password-stdin "${IMAGE%%/*}"
  docker pull --quiet "$IMAGE"
  rm -rf "$DOCKER_CONFIG"
fi

umask 077
aws secretsmanager get-secret-value --secret-id "$MASTER_KEY_SECRET_ARN" --query SecretString --output text >"$RUNTIME_DIRECTORY/master.key"
chown 65532:65532 "$RUNTIME_DIRECTORY/master.key"
