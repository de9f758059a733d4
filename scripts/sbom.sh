#!/usr/bin/env bash
# Holds the bills of materials inside programs against CycloneDX's own schema, with the Python package of CycloneDX, which is installed into
# whisperfile/cyclonedx of the user's cache directory. Where that cannot be, it says so and goes on; with CI=true that is a failure.
#
# usage: scripts/sbom.sh FILE…      executables with a bill inside, or bills
set -euo pipefail
pin='cyclonedx-python-lib[json-validation]==11.12.0'
cache=${XDG_CACHE_HOME:-$HOME/.cache}/whisperfile/cyclonedx
if [ "$(cat "$cache/installed" 2>/dev/null)" != "$pin" ]; then
	rm -rf "$cache"
	mkdir -p "${cache%/*}"
	python3 -m venv "$cache" && "$cache/bin/pip" install -q --disable-pip-version-check "$pin" && echo "$pin" >"$cache/installed" || {
		[ "${CI:-}" != true ] || { echo "--- FAIL: sbom: $pin cannot be installed"; exit 1; }
		echo "--- SKIP: sbom: $pin cannot be installed"
		exit 0
	}
fi
"$cache/bin/python" - "$@" <<'PYTHON'
import sys, zipfile
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

failed = False
for name in sys.argv[1:]:
    if zipfile.is_zipfile(name):
        bill = zipfile.ZipFile(name).read("sbom.cdx.json").decode()
    else:
        bill = open(name, encoding="utf-8").read()
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)
    failed |= error is not None
    print(f"--- {'FAIL' if error else 'PASS'}: sbom/{name}", error or "")
sys.exit(failed)
PYTHON
