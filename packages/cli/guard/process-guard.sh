#!/bin/sh
# Ends what the commands of a worker left running when the worker is gone, in whatever way it went.
#
# Its standard input is a pipe whose only other end is the worker's, so its end is the worker's end. Until then it only
# takes notes. Lines, with words apart by spaces:
#   + COOKIE                     an attempt is about to start a command; its processes carry the cookie
#   = COOKIE PGID STARTTIME      the command leads this process group; STARTTIME is field 22 of its /proc stat, or -
#   - COOKIE                     nothing of the attempt is left
# A cookie has only letters, digits, dots, dashes and underscores. At the end of the input it sends SIGTERM to every
# process of the open attempts, and half a second later SIGKILL to what is left: those of their groups, and, where there
# is a /proc, those that left the group and still carry the cookie in FANFOLD_ATTEMPT_ID.
set -fu
trap '' HUP INT TERM

open=''

forget() {
  kept=''
  for entry in $open; do
    case $entry in "$1" | "$1":*) ;; *) kept="$kept $entry" ;; esac
  done
  open=$kept
}

while read -r sign cookie group start; do
  case $sign in
  +) open="$open $cookie" ;;
  =)
    forget "$cookie"
    open="$open $cookie:$group:$start"
    ;;
  -) forget "$cookie" ;;
  esac
done

[ -n "$open" ] || exit 0

# Reads a stat line of /proc into state, group and start: the name in parentheses may hold anything.
read_stat() {
  state='' of='' start=''
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- ${line##*) }
  state=${1-} of=${3-} start=${20-}
}

# Sets groups and marks to those of the open attempts. A group whose leader is another process by now is not ours.
find_groups() {
  groups=' ' marks=''
  for entry in $open; do
    cookie=${entry%%:*}
    marks="$marks -e FANFOLD_ATTEMPT_ID=$cookie"
    [ "$entry" != "$cookie" ] || continue
    rest=${entry#*:}
    group=${rest%%:*}
    began=${rest#*:}
    if [ "$began" = - ] || ! read_stat "$group" || [ "$start" = "$began" ]; then groups="$groups$group "; fi
  done
}

# Sets victims to what still runs, as arguments of kill.
find_victims() {
  victims=''
  find_groups
  if [ ! -r /proc/self/stat ]; then
    for group in $groups; do
      if kill -0 -- "-$group" 2>/dev/null; then victims="$victims -$group"; fi
    done
    return
  fi
  set +f
  # shellcheck disable=SC2086
  strays=$(grep -laF $marks /proc/[0-9]*/environ 2>/dev/null)
  ids=$(echo /proc/[0-9]*)
  set -f
  for path in $ids; do
    id=${path#/proc/}
    read_stat "$id" || continue
    case $state in Z | X) continue ;; esac
    case $groups in *" $of "*) victims="$victims $id" ;; esac
  done
  for path in $strays; do
    id=${path#/proc/}
    id=${id%/environ}
    case "$victims " in *" $id "*) ;; *) victims="$victims $id" ;; esac
  done
}

round=0
while [ "$round" -lt 50 ]; do
  find_victims
  [ -n "$victims" ] || exit 0
  signal=KILL
  [ "$round" -ge 5 ] || signal=TERM
  # shellcheck disable=SC2086
  if [ "$round" -eq 0 ] || [ "$signal" = KILL ]; then kill -s "$signal" -- $victims 2>/dev/null; fi
  sleep 0.1 2>/dev/null || sleep 1
  round=$((round + 1))
done
