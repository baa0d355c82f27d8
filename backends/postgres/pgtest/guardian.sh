# Runs a server in the directory $dir until standard input ends, which it does when
# the process at its other end is gone, however it went; then removes the directory.
set -eu
data=$dir/data
log=$dir/log
trap 'cd / && rm -rf "$dir"' EXIT

initialise() {
	target=$1
	shift
	"$bin/initdb" -D "$target" -U postgres -A trust -E UTF8 --locale=C --wal-segsize=1 --no-sync "$@" >>"$log" 2>&1
}

# The pristine cluster is kept for the next time. Everybody may write to the directory
# that it is kept in, so it is trusted only if it is ours.
if [ -e "$template" ] && [ ! -O "$template" ]; then
	template=$dir/template
fi
if [ ! -f "$template/PG_VERSION" ]; then
	fresh=$(mktemp -d "$template.XXXXXX")
	# Before PostgreSQL 15 databases had no ICU collation, and some builds have no ICU.
	initialise "$fresh" --locale-provider=icu --icu-locale=en-US || initialise "$fresh"
	mv -T "$fresh" "$template" 2>/dev/null || rm -rf "$fresh" # somebody else was first
fi
cp -a "$template" "$data"

"$bin/postgres" -D "$data" -k "$dir" -p "$port" -c listen_addresses= \
	-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off \
	-c shared_buffers=64MB -c max_connections=200 -c max_prepared_transactions=10 \
	-c deadlock_timeout=20ms -c timezone=Asia/Kathmandu -c log_line_prefix='%m [%p] %a ' </dev/null >>"$log" 2>&1 &
server=$!
read -r _ || :
kill -QUIT $server 2>/dev/null || :
wait $server || :
