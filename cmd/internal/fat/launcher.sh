# The launcher of a fat file: puts the build for this system into a private directory, once, and becomes it. It is read by whatever shell
# starts the file, so it is plain POSIX sh; comments are left out there. All names begin with wf_, because a name that the environment
# has already would change for the program too. No word of it may depend on options, IFS or aliases of the caller.
[ -z "${ZSH_VERSION-}" ] || emulate sh
set +eu
IFS=' 	
'
wf_say() { echo "whisperfile: $1" >&2; }

# The file was read by this name just now, so that it lies here where the name has no directory.
case $0 in
/*) wf_file=$0 ;;
*) wf_file=${PWD%/}/$0 ;;
esac

# wf_look: $wf_dir is this user's alone, and nobody else but root can put another in its place. $wf_have says whether the program in it is
# whole. ls lists a mode, links, user, group, size, three words of time and a name in each line; of a file that goes meanwhile it would list
# fewer, so it is asked for these three alone.
wf_look() {
	wf_have= wf_user= wf_above=
	[ -d "$wf_dir" ] && [ ! -h "$wf_dir" ] && [ -O "$wf_dir" ] || return 1
	wf_list=$({ cd "$wf_dir" >/dev/null && LC_ALL=C TIME_STYLE=locale ls -lnd . .. whisperfile; } 2>/dev/null)
	set -f
	set -- $wf_list
	while [ $# -ge 9 ]; do
		case "$9 $1" in
		'. drwx------'*) wf_user=$3 ;;
		'.. d'????-??-* | '.. d'????????[tT]*) case $3 in 0 | "$wf_user") wf_above=1 ;; esac ;;
		'whisperfile -rwx------'*) [ "$3 $5" != "$wf_user ${wf_sum#* }" ] || wf_have=1 ;;
		esac
		shift 9
	done
	[ -n "$wf_user" ] && [ -n "$wf_above" ]
}

wf_there() { wf_look && [ -n "$wf_have" ] && [ -x "$wf_dir/whisperfile" ]; }

wf_refused() { [ -O "$wf_dir/refused" ]; }

# Nothing is run here before its checksum is right, in a directory that nobody else can write to; nothing gets the name of the program that did
# not run once. Whoever comes second replaces the same by the same. dd reads blocks of 64 KiB, and builds for macOS end where they end.
wf_make() {
	(
		umask 077
		mkdir "$wf_dir"
		wf_look || exit 1
		set +f
		wf_new=$wf_dir/new-$$
		set -C
		until true >"$wf_new"; do
			case $wf_new in *_____) exit 1 ;; esac
			wf_new=${wf_new}_
		done
		set +C
		wf_code=1
		if [ "${wf_sum#* }" -lt $((wf_count * 65536)) ]; then
			dd if="$wf_file" bs=65536 skip="$wf_skip" count="$wf_count" | head -c "${wf_sum#* }" >"$wf_new"
		else
			dd if="$wf_file" bs=65536 skip="$wf_skip" count="$wf_count" >"$wf_new"
		fi && case $(cksum <"$wf_new") in
		"$wf_sum" | "$wf_sum "*) chmod 700 "$wf_new" && if "$wf_new" --whisperfile-probe </dev/null >/dev/null; then
			mv -f "$wf_new" "$wf_dir/whisperfile" && rm -f "$wf_dir"/new-* && exit 0
		elif [ -n "$wf_gpu" ] && [ -x "$wf_new" ]; then
			true >"$wf_dir/refused"
		fi ;;
		?*) wf_code=3 ;;
		esac
		rm -f "$wf_new"
		rmdir "$wf_dir"
		exit $wf_code
	) 2>/dev/null
	[ $? -ne 3 ] || wf_damaged=1
	wf_there
}

# wf_walk COMMAND: runs it for the directories that there may be, until it is content. One that is everybody's has one for each user.
wf_walk() {
	for wf_base in "${XDG_CACHE_HOME-}" "${HOME:+$HOME/.cache}" "${TMPDIR-}" /tmp; do
		case $wf_base in /*) ;; *) continue ;; esac
		[ -d "$wf_base" ] || [ "$1" != wf_make ] || [ "$wf_base" = "${TMPDIR-}" ] || mkdir -m 700 "$wf_base" 2>/dev/null
		wf_dir=$wf_base/whisperfile-$wf_hash
		if [ ! -O "$wf_base" ]; then
			[ -k "$wf_base" ] || continue
			wf_dir=$wf_dir-$(id -u)
		fi
		"$1" && return
	done
	return 1
}

# wf_find HASH SKIP COUNT CHECKSUM BYTES: finds or makes $wf_dir with the build in it.
wf_find() {
	wf_hash=$1 wf_skip=$2 wf_count=$3 wf_sum="$4 $5"
	wf_walk wf_there && return
	[ -z "$wf_gpu" ] || ! wf_walk wf_refused || return
	wf_walk wf_make
}

# wf_try LOADER HASH...: the build that can reach a GPU, where there may be one, and the C library that it needs.
wf_try() {
	wf_gpu=
	for wf_node in /dev/nvidiactl /dev/nvidia0 /dev/kfd /dev/dxg; do
		[ ! -e "$wf_node" ] || wf_gpu=1
	done
	[ -n "$wf_gpu" ] && [ -e "$1" ] && shift && wf_find "$@"
}

wf_gpu= wf_damaged= wf_system=$(uname -sm)
case $wf_system in
@builds@
*)
	wf_say "there is no program for $wf_system inside"
	exit 126
	;;
esac && {
	WHISPERFILE=$$:$wf_file
	export WHISPERFILE
	exec "$wf_dir/whisperfile" "$@"
}
if [ -n "$wf_damaged" ]; then
	wf_say "$wf_file is cut short, damaged, or was repacked by another zip tool"
else
	wf_say 'found no directory to put the program into and run it from: set XDG_CACHE_HOME, HOME or TMPDIR to one of yours with room'
fi
exit 126
