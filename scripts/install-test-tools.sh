#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: redis-server, git, openssl, zic and tzdata.zi, Chromium. Uses apt-get, as root
# or through sudo, and says what it does; elsewhere it says what to install by hand. Does nothing when all is there.
set -euo pipefail

has() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

missing=()
has redis-server || has valkey-server || missing+=(redis-server)
has git || missing+=(git)
has openssl || missing+=(openssl)
has zic || missing+=(libc-bin)
[ -e /usr/share/zoneinfo/tzdata.zi ] || missing+=(tzdata)
# what the tests of the dashboard drive
[ -x "${FANFOLD_CHROMIUM:-/usr/bin/chromium}" ] || missing+=(chromium fonts-liberation)
[ "${#missing[@]}" -eq 0 ] && exit 0

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

if ! command -v apt-get >/dev/null || { [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; }; then
  echo "the tests need these, please install them: ${missing[*]}" >&2
  exit 1
fi
echo "installing what the tests need: ${missing[*]}"
as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
