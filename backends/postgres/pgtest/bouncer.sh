# Runs a PgBouncer in the directory $dir until standard input ends; then removes the directory. If PgBouncer ended by itself
# before that, standard error shows the reason, and the exit status is not zero.
set -eu
trap 'cd / && rm -rf "$dir"' EXIT
"$bin" "$config" </dev/null >>"$dir/log" 2>&1 &
bouncer=$!
read -r _ || :
kill -TERM $bouncer 2>/dev/null || :
wait $bouncer || :
! grep '\] FATAL ' "$dir/log" >&2
