# Runs a server in the directory $dir until standard input ends, which it does when
# the process at its other end is gone, however it went; then removes the directory.
# Until then a line of standard input is "start", or the name of the signal to end the
# server with, and is answered when that is done. The arguments are the server's.
set -eu
data=$dir/data
log=$dir/log
trap 'cd / && rm -rf "$dir"' EXIT

initialise() {
	target=$1
	shift
	"$bin/initdb" -D "$target" -U postgres --auth-local=trust --auth-host=scram-sha-256 \
		-E UTF8 --locale=C --wal-segsize=1 --no-sync "$@" >>"$log" 2>&1
}

# The pristine cluster is kept for the next time. Everybody may write to the directory
# that it is kept in, so it is trusted only if it is ours.
pristine() {
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
}

# All processes of the server hold the pipe, those that a killed one leaves behind too.
mkfifo "$dir/alive"
start() {
	"$bin/postgres" -D "$data" -k "$dir" -c listen_addresses= \
		-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off \
		-c shared_buffers=64MB -c dynamic_shared_memory_type=mmap -c max_connections=200 -c max_prepared_transactions=10 \
		-c deadlock_timeout=20ms -c timezone=Asia/Kathmandu -c log_line_prefix='%m [%p] %a ' \
		"$@" </dev/null 3>"$dir/alive" >>"$log" 2>&1 &
	server=$!
	exec 4<"$dir/alive"
}

finish() {
	[ -n "$server" ] || return 0
	kill -"$1" "$server" 2>/dev/null || :
	wait "$server" 2>/dev/null || :
	cat <&4 >/dev/null
	exec 4<&-
	server=
	# A killed one leaves the segment by which it would be seen to run (manual, section 19.4.1).
	if [ -f "$data/postmaster.pid" ]; then
		segment=$(sed -n 's/^ *[0-9]\{1,\}  *\([0-9]\{1,\}\)$/\1/p' "$data/postmaster.pid")
		ipcrm -m "$segment" || :
	fi
}

if [ -z "$primary" ]; then
	pristine
else
	"$bin/pg_basebackup" -d "$primary" -D "$data" -R -c fast --no-sync >>"$log" 2>&1
fi
start "$@"
while read -r order; do
	case $order in
	start) start "$@" ;;
	*) finish "$order" ;;
	esac
	echo done
done
finish QUIT
