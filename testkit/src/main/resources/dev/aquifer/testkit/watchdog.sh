# Waits for the end of the JVM that started it, then ends the servers listed in $1/pids and removes
# $1. A terminal's Ctrl-C must not end it before the JVM.
trap '' INT TERM HUP QUIT
run=$1
while read -r line; do :; done

children() {
  if [ -r /proc/self/stat ]; then
    for stat in /proc/[0-9]*/stat; do
      { read -r line <"$stat"; } 2>/dev/null || continue
      # pid (name) state parent ...: a name may hold blanks and parentheses, so cut at the last one.
      rest=${line##*) }
      rest=${rest#* }
      if [ "${rest%% *}" = "$1" ]; then
        pid=${stat#/proc/}
        echo "${pid%/stat}"
      fi
    done
  else
    ps -A -o pid= -o ppid= | while read -r pid parent; do
      if [ "$parent" = "$1" ]; then echo "$pid"; fi
    done
  fi
}

for file in "$run"/pids/*; do
  server=${file##*/}
  case $server in *[!0-9]*) continue ;; esac
  # Stopped first, so that it starts no child between the listing and the kill.
  kill -STOP "$server" 2>/dev/null || continue
  kill -KILL "$server" $(children "$server") 2>/dev/null
done

# The small System V segment that guards a data folder outlives a killed PostgreSQL.
for file in "$run"/*/*/data/postmaster.pid; do
  [ -r "$file" ] || continue
  segment=$(sed -n '7s/^ *[0-9]* *\([0-9][0-9]*\) *$/\1/p' "$file")
  [ -n "$segment" ] && ipcrm -m "$segment" 2>/dev/null
done

tries=0
while [ -e "$run" ] && [ "$tries" -lt 50 ]; do
  rm -rf "$run" 2>/dev/null || sleep 0.1
  tries=$((tries + 1))
done
