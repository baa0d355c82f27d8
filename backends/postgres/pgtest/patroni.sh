# Runs etcd and the nodes of a Patroni cluster in the directory $dir until standard input ends, which happens when the process
# at the other end exits in whatever way; then ends all of them and removes the directory. Each line of standard input is an
# order and the name of a folder in $dir: "etcd", or a node. "done" is printed afterwards. A node has its folder for Patroni, and
# the data of its server below it, so that the working directory of a process shows the node that the process belongs to.
set -eu
log=$dir/log

# The processes in a folder, or below it.
processes() {
	for process in /proc/[0-9]*; do
		case $(readlink "$process/cwd" 2>/dev/null)/ in
		"$1"/*) echo "${process#/proc/}" ;;
		esac
	done
}

signal() {
	pids=$(processes "$dir/$2")
	[ -z "$pids" ] || kill -"$1" $pids 2>/dev/null || :
}

end() {
	while [ -n "$(processes "$dir/$1")" ]; do
		signal KILL "$1"
		sleep 0.05
	done
}

start() {
	case $1 in
	etcd) set -- etcd "$etcd" --name etcd --data-dir data --logger zap --log-level warn \
		--listen-client-urls "$etcd_url" --advertise-client-urls "$etcd_url" \
		--listen-peer-urls "$etcd_peer" --initial-advertise-peer-urls "$etcd_peer" --initial-cluster "etcd=$etcd_peer" ;;
	*) set -- "$1" "$patroni" patroni.yml ;;
	esac
	folder=$dir/$1
	shift
	cd "$folder"
	"$@" </dev/null >>"$log" 2>&1 &
	cd /
}

finish() {
	for folder in "$dir"/*/; do
		end "$(basename "$folder")"
		# A killed server leaves its shared memory segment (manual, section 19.4.1).
		[ ! -f "$folder/data/postmaster.pid" ] ||
			ipcrm -m "$(sed -n 's/^ *[0-9]\{1,\}  *\([0-9]\{1,\}\)$/\1/p' "$folder/data/postmaster.pid")" 2>/dev/null || :
	done
	rm -rf "$dir"
}
trap finish EXIT

while read -r order folder; do
	case $order in
	start) start "$folder" ;;
	freeze) signal STOP "$folder" ;;
	thaw) signal CONT "$folder" ;;
	kill-server) kill -KILL "$(head -n 1 "$dir/$folder/data/postmaster.pid")" ;;
	kill) end "$folder" ;;
	esac
	echo done
done
