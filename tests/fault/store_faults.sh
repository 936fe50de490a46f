#!/usr/bin/env bash
# Every system call by which the store touches its files fails once (EIO, ENOSPC), fails from then on,
# or is the last of its process (SIGKILL). Afterwards: the database is whole, what was said to be
# committed is there, records and log tell the same story, and the next process writes again.
#
#   store_faults.sh STORE_CHILD [EVERY]     EVERY: only each EVERY-th place (default 1)
set -euo pipefail

child=$1 every=${2:-1} count=4
for needed in strace sqlite3; do
  command -v $needed >/dev/null || { echo "skipped: $needed is not installed"; exit 77; }
done
parent=/dev/shm
[[ -w $parent ]] || parent=${TMPDIR:-/tmp}
work=$(mktemp -d "$parent/bailey-store-XXXXXX")
trap 'rm -rf "$work"' EXIT
strace -qq -o /dev/null true 2>/dev/null || { echo "skipped: strace may not trace here"; exit 77; }

file=$work/state.db
paths=(-P "$file" -P "$file-wal" -P "$file-shm" -P "$file-journal" -P "$work")
runs=0

broken() {
  echo "FAILED: $call, the $nth-th, $fault: $*" >&2
  cat "$work/said" >&2
  exit 1
}

check() {
  local integrity
  "$child" check "$file" >"$work/there" 2>"$work/why" || broken "$(cat "$work/why")"
  integrity=$(sqlite3 "$file" 'PRAGMA integrity_check') || broken "sqlite3 cannot read it"
  [[ $integrity == ok ]] || broken "$integrity"
  # What was acknowledged is there; of what failed, nothing or all of it.
  sed -n 's/^committed //p' "$work/said" | sort >"$work/acknowledged"
  lost=$(comm -23 "$work/acknowledged" <(sort "$work/there"))
  [[ -z $lost ]] || broken "acknowledged and lost: $lost"
  "$child" write "$file" 99 99 >"$work/again" 2>&1 || broken "the next process cannot open it"
  grep -q '^committed 99$' "$work/again" || broken "it cannot write: $(cat "$work/again")"
  "$child" check "$file" >/dev/null 2>"$work/why" || broken "after a write: $(cat "$work/why")"
}

# Runs with the fault at the nth call; false when the run had fewer.
run() { # run CALL FAULT NTH
  call=$1 fault=$2 nth=$3
  rm -f "$work"/state.db*
  local when=$nth
  [[ $fault != *+ ]] || when=$nth+
  # In a shell of its own, which may say "Killed" to nobody.
  (strace -f -qq -o "$work/trace" "${paths[@]}" -e trace="$call" \
    -e inject="$call:${fault%+}:when=$when" "$child" write "$file" 1 "$count" || true) \
    >"$work/said" 2>/dev/null
  grep -q 'INJECTED\|killed by SIGKILL' "$work/trace" || return 1
  runs=$((runs + 1))
  check
}

for call in openat pwrite64 fdatasync fsync ftruncate unlink pread64 mmap fcntl; do
  for fault in error=EIO error=ENOSPC error=EIO+ error=ENOSPC+ signal=KILL; do
    # A file system says ENOSPC only where it has to make room.
    case $call/$fault in
      pread64/error=ENOSPC* | fcntl/error=ENOSPC* | unlink/error=ENOSPC*) continue ;;
    esac
    before=$runs nth=1
    while run "$call" "$fault" "$nth"; do nth=$((nth + every)); done
    printf '%-10s %-14s %4d places\n' "$call" "${fault/+/ from then on}" $((runs - before))
  done
done
((runs > 0)) || { echo "FAILED: nothing was ever hit" >&2; exit 1; }
echo "$runs runs: 0 corrupt databases, 0 acknowledged writes lost"
