#!/usr/bin/env bash
# What `make test` runs: the checks, then all tests on SQLite; beside them, where PostgreSQL answers, all that
# touch a database on PostgreSQL. The last lines say what did not run, and the runner's own summary.
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
output=$(mktemp -d)
trap 'kill "${beside:-}" 2>/dev/null || true; rm -rf "$output"' EXIT
export FAULTS_SERVER_URL="${TEST_DATABASE_URL:-}"
if [ -n "${TEST_DATABASE_URL:-}" ]; then
  export TESTED_ON_POSTGRESQL=1
  .venv/bin/pytest -q tests/shop_reco >"$output/postgresql" 2>&1 &
  beside=$!
fi
unset TEST_DATABASE_URL
echo "on SQLite:"
status=0
.venv/bin/pytest "$@" 2>&1 | tee "$output/sqlite" || status=$?
if [ -n "${beside:-}" ]; then
  wait "$beside" || status=$?
  echo "on PostgreSQL:"
  cat "$output/postgresql"
  echo "on SQLite:"
  tail -n 1 "$output/sqlite"
fi
exit "$status"
