#!/usr/bin/env bash
# What `make test` runs: the checks, then beside each other all tests on SQLite, those that start processes, those in
# a browser, and, where PostgreSQL answers, all that touch a database on it. The last lines say what did not run, and
# the sum over all of them.
set -euo pipefail
bash scripts/lint.sh
if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (apt-get update -q && apt-get install -y -q chromium) >/dev/null 2>&1 || true
  fi
  command -v chromium >/dev/null || .venv/bin/playwright install chromium >/dev/null 2>&1 || true
fi
services=$(.venv/bin/python scripts/services.py)
eval "$services"
server=${TEST_DATABASE_URL:-}
unset TEST_DATABASE_URL
export FAULTS_SERVER_URL="$server"
[ -z "$server" ] || export TESTED_ON_POSTGRESQL=1
output=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$output"' EXIT
lanes=()
processes=()

# lane NAME NICE ARGUMENTS: starts those tests beside the others.
lane() {
  local name=$1 nice=$2
  shift 2
  : >"$output/$name"
  nice -n "$nice" .venv/bin/pytest -q -o "cache_dir=.pytest_cache/$name" "$@" >"$output/$name" 2>&1 &
  lanes+=("$name")
  processes+=($!)
}

# What mostly waits for processes and pages goes first whenever it can go on.
lane faults 0 tests/faults
lane browser 0 tests/browser
lane sqlite 5 --ignore=tests/faults --ignore=tests/browser
if [ -n "$server" ]; then
  # Hostile files are read by a process of its own, on SQLite whatever the rest uses.
  TEST_DATABASE_URL=$server lane postgresql 5 tests/shop_reco --ignore=tests/shop_reco/tables/test_hostile.py \
    -m "not any_database"
fi
status=0
for place in "${!lanes[@]}"; do
  echo "tests, ${lanes[$place]}:"
  tail -n +1 -f "$output/${lanes[$place]}" &
  follower=$!
  wait "${processes[$place]}" || status=1
  sleep 1
  kill "$follower" 2>/dev/null || true
  wait "$follower" 2>/dev/null || true
done
for name in "${lanes[@]}"; do
  tail -n 1 "$output/$name"
done >"$output/sums"
sed -n 's/^[= ]*//p' "$output/sums"
grep -oE '[0-9]+ (passed|failed|error|skipped)' "$output/sums" | awk '
  { sum[$2] += $1 }
  END { printf "%d passed, %d failed, %d skipped\n", sum["passed"], sum["failed"] + sum["error"], sum["skipped"] }'
exit "$status"
