#!/bin/sh
# make install and make uninstall: puts programs, manual pages, completions and documents where a system has them, and takes away
# exactly that. Usage: install.sh install|uninstall. DIST, BIN (the programs), PREFIX, DESTDIR, BINDIR, DATADIR, MANDIR, LINKS and FORCE are variables of
# make; modes of files follow the umask.
#
# What was put is written down in DOCDIR/installed, a line each: its kind (d directory, f file, l link), checksum and size or the
# link's text and -, and path. A file that is not as it was put is somebody else's: it is neither replaced nor removed.
set -eu
export LC_ALL=C

dist=${DIST:-dist} programs=${BIN:-${DIST:-dist}} prefix=${PREFIX:-/usr/local} root=${DESTDIR-}
root=${root%/}
bin=${BINDIR:-$prefix/bin} data=${DATADIR:-$prefix/share}
man=${MANDIR:-$data/man}/man1 doc=$data/doc/whisperfile
record=$root$doc/installed
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
	echo "install: $*" >&2
	exit 1
}

for path in "$bin" "$data" "$man"; do
	case $path in
	/*) ;;
	*) die "PREFIX, BINDIR, DATADIR and MANDIR begin with /: $path" ;;
	esac
done

# state PATH sets is to kind, checksum and size of what lies there, or the link's text; to nothing where nothing does.
state() {
	if [ -L "$1" ]; then
		is="l $(readlink "$1") -"
	elif [ -f "$1" ]; then
		is="f $(cksum <"$1")"
	elif [ -e "$1" ]; then
		is="other - -"
	else
		is=
	fi
}

# ours PATH: whether what lies below root at PATH is as it was put there.
ours() {
	[ -f "$record" ] && state "$root$1" && [ -n "$is" ] && grep -Fqx "$is $1" "$record"
}

# plan lists what there is to put, a line each: kind (x program, f file, l link), source, path; separated by tabs.
plan() {
	tab=$(printf '\t')
	for name in whisper whisper-bench whisper-quantize whisper-server whisperfile; do
		echo "x$tab$programs/$name$tab$bin/$name"
	done
	for name in ${LINKS-}; do
		echo "l${tab}whisperfile$tab$bin/$name"
	done
	for name in whisper whisper-bench whisper-quantize whisper-server whisperfile zipalign assimilate; do
		echo "f$tab$dist/man/$name.1$tab$man/$name.1"
		echo "f$tab$dist/completions/bash/$name$tab$data/bash-completion/completions/$name"
		echo "f$tab$dist/completions/zsh/_$name$tab$data/zsh/site-functions/_$name"
		echo "f$tab$dist/completions/fish/$name.fish$tab$data/fish/vendor_completions.d/$name.fish"
	done
	find README.md CHANGELOG.md SECURITY.md LICENSE NOTICE docs -type f | sort | while IFS= read -r file; do
		echo "f$tab$file$tab$doc/$file"
	done
}

# directory PATH: makes it and what is above it, having noted what was not there.
directory() {
	if [ -z "$1" ] || [ -d "$1" ]; then return; fi
	case $1 in */*) directory "${1%/*}" ;; esac
	echo "$1" >>"$work/made"
	mkdir "$1"
}

# undo takes back what an installation that fails has put beside what is there.
undo() {
	while IFS= read -r temporary; do rm -f "$temporary"; done <"$work/temporary"
	sort -r "$work/made" | while IFS= read -r dir; do rmdir "$dir" 2>/dev/null || :; done
	rm -rf "$work"
}

install() {
	plan >"$work/plan"
	foreign=
	while IFS='	' read -r kind source path; do
		[ "$kind" = l ] || [ -f "$source" ] || die "$source is not there: make build man, as the owner of this folder"
		target=$root$path
		state "$target"
		case $is in
		'') continue ;;
		other*) die "$target is in the way" ;;
		esac
		ours "$path" && continue
		[ "$kind" != l ] && [ ! -L "$target" ] && cmp -s "$source" "$target" && continue
		[ "$kind" = l ] && [ "$(readlink "$target")" = "$source" ] && continue
		foreign="$foreign
  $target"
	done <"$work/plan"
	[ -z "$foreign" ] || [ -n "${FORCE-}" ] || die "these are not ours; FORCE=1 replaces them:$foreign"

	# First all goes beside its place, where it can fail and be taken back. The renames that follow cannot be interrupted by signals, and
	# what they put is written down before.
	: >"$work/made"
	: >"$work/temporary"
	trap undo EXIT
	trap 'exit 130' HUP INT TERM
	while IFS='	' read -r kind source path; do
		target=$root$path
		directory "${target%/*}"
		temporary=${target%/*}/.${target##*/}.new
		echo "$temporary" >>"$work/temporary"
		state "$temporary"
		[ -z "$is" ] || rm -f "$temporary"
		if [ "$kind" = l ]; then
			ln -s "$source" "$temporary"
		else
			cat "$source" >"$temporary"
			if [ "$kind" = x ]; then chmod +x "$temporary"; fi
		fi
		state "$temporary"
		echo "$is $path" >>"$work/record"
	done <"$work/plan"
	directory "$root$doc"
	while IFS= read -r dir; do
		case $dir in
		"$root"/*) echo "d - - ${dir#"$root"}" >>"$work/record" ;;
		esac
	done <"$work/made"
	: >"$work/old"
	[ ! -f "$record" ] || cat "$record" >"$work/old"
	grep '^d ' "$work/old" >>"$work/record" || :
	echo "$record.new" >>"$work/temporary"
	sort -u "$work/record" "$work/old" >"$record.new"

	trap '' HUP INT TERM
	mv -f "$record.new" "$record"
	while IFS='	' read -r kind source path; do
		target=$root$path
		mv -f "${target%/*}/.${target##*/}.new" "$target"
	done <"$work/plan"
	: >"$work/made"
	cut -f 3 "$work/plan" >"$work/paths"
	while read -r kind _ _ path; do
		if [ "$kind" != d ] && ! grep -Fqx "$path" "$work/paths" && ours "$path"; then rm -f "$root$path"; fi
	done <"$work/old"
	sort -u "$work/record" >"$record.new"
	mv -f "$record.new" "$record"
	echo "installed below $root$prefix: $(grep -c '' "$work/paths") files, which make uninstall takes away"
}

uninstall() {
	if [ ! -f "$record" ]; then
		echo "nothing is installed below $root$prefix"
		return
	fi
	cat "$record" >"$work/old"
	while read -r kind _ _ path; do
		[ "$kind" != d ] || continue
		if ours "$path"; then
			rm -f "$root$path"
		elif [ -e "$root$path" ] || [ -L "$root$path" ]; then
			echo "left: $root$path is not what was installed"
		fi
	done <"$work/old"
	rm -f "$record"
	sed -n 's/^d - - //p' "$work/old" | sort -ru | while IFS= read -r dir; do
		rmdir "$root$dir" 2>/dev/null || :
	done
	echo "removed what was installed below $root$prefix"
}

case ${1-} in
install | uninstall) "$1" ;;
*) die "install or uninstall?" ;;
esac
