# Starts commands for a worker, one after another, and says how each of them ended. Run by bash 5 or later with
#   bash --norc --noprofile -p -c "$(cat command-spawner.sh)" TOKEN DIR
# TOKEN is a word nobody can guess: it begins whatever this shell itself writes on a command's standard error, so that
# nothing else is taken for its words. DIR is a directory of its own, which it removes at its end.
#
# Standard input, a request each: 8 digits with the length of the rest in bytes, then shell code that ends in `exec`. It
# runs in a process of its own, which leads a process group. The command's output goes to the FIFOs DIR/out and DIR/err,
# whose other ends the worker has open. Standard output, lines:
#   ready         requests are taken
#   p PID         the command has been started; PID is its process and its group
#   [1]+  Exit …  it has ended by itself, with an exit code; what bash itself says of any other end looks otherwise
#   x STATUS      it has ended; above 128 only the line before tells a signal from an exit code
# It ends at the end of its input, which is the worker's end. A command that runs then is left to the worker's guard.
set -m
((BASH_VERSINFO[0] >= 5)) || exit 1
# a command gets the variables of its request and no others; exec would export a plain SHLVL
declare +x PATH
unset PWD OLDPWD SHLVL
declare -a SHLVL
LC_ALL=C
dir=$1
mkfifo -- "$dir/out" "$dir/err" || exit 1
# with job control, and as it was started, bash tells of the end of a job here, before `wait` returns
exec 7</dev/null 2>&1

# ignored, not trapped: a trap would make `wait` return before the command is over
trap '' HUP INT QUIT TERM PIPE

# said by a process that cannot go on to become its command
refuse() {
  echo "$0: $1" >&6
  exit 126
}

# Whether the command only rests: `wait` returns for that as well, with one of these.
is_stopped() {
  ((status >= 146 && status <= 150)) && [[ $(jobs -s) ]] && sleep 0.2
}

echo ready
while read -r -N 8 length && read -r -N "$((10#$length))" request; do
  exec 5>"$dir/out" 6>"$dir/err" || exit 1
  # the process tells of itself when a signal ends it again, and becomes nothing when nobody hears it
  {
    trap - HUP INT QUIT TERM PIPE
    echo "p $BASHPID" || exit 1
    eval "$request"
  } 2>/dev/null &
  pid=$!
  exec 5>&- 6>&-
  request=''
  # not `wait -f`: it may never return when the command was over before (bash 5.2)
  while
    wait "$pid"
    status=$?
    is_stopped
  do :; done
  echo "x $status"
done
rm -rf -- "$dir"
