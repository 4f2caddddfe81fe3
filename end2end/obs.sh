#!/usr/bin/env bash
# OBS publishes into a room of the release server, and Chromium watches it. Needs Debian's obs-studio, xvfb and xauth.
# Exit status: 0 it plays, 77 OBS is not installed, anything else it does not play.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
for program in obs xvfb-run Xvfb; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if [ "${#missing[@]}" -gt 0 ]; then
    echo "not run: ${missing[*]} not installed (Debian: apt-get install obs-studio xvfb xauth)"
    exit 77
fi
exec node_modules/.bin/playwright test --config obs.config.ts "$@"
