# Runs a PgBouncer in the directory $dir until standard input ends; then removes the
# directory.
set -eu
trap 'cd / && rm -rf "$dir"' EXIT
"$bin" -q "$config" </dev/null >>"$dir/log" 2>&1 &
bouncer=$!
read -r _ || :
kill -TERM $bouncer 2>/dev/null || :
wait $bouncer || :
