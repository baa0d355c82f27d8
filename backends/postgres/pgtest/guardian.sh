# Runs a server in the directory $dir until standard input ends, which happens when the process at the other end exits in
# whatever way; then removes the directory. Each line of standard input is "start" or the name of a signal that stops the
# server; "done" is printed afterwards. The arguments are those of the server.
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

# The result of initdb is kept as a template for the next start. All users may write to its parent directory, so the template
# is used only if this user owns it.
pristine() {
	if [ -e "$template" ] && [ ! -O "$template" ]; then
		template=$dir/template
	fi
	if [ ! -f "$template/PG_VERSION" ]; then
		fresh=$(mktemp -d "$template.XXXXXX")
		# Databases have no ICU collation before PostgreSQL 15 and in builds without ICU.
		initialise "$fresh" --locale-provider=icu --icu-locale=en-US || initialise "$fresh"
		mv -T "$fresh" "$template" 2>/dev/null || rm -rf "$fresh" # another process was first
	fi
	cp -a "$template" "$data"
}

# All processes of the server hold the pipe open, including those that outlive a killed main process.
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
	# A killed server leaves its shared memory segment, which would block the next start (manual, section 19.4.1).
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
