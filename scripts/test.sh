#!/usr/bin/env bash
# What `make test` runs: the checks, then beside each other the tests of the engine and of what is shipped, those of the
# plugin on SQLite and, where PostgreSQL answers, on it, those that start processes, and those in a browser. What failed
# beside the others is tried once more, alone: some limits of time are real, and a machine may have been too busy for
# them. The last lines say what did not run or needed a second try, and the sum over all of them.
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
MOST_AGAIN=5 # more than that is not the machine
export FAULTS_SERVER_URL="$server"
[ -z "$server" ] || export TESTED_ON_POSTGRESQL=1
output=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$output"' EXIT
processes=()
lanes=(faults browser engine sqlite)
[ -z "$server" ] || lanes+=(postgresql)

# run LANE ARGUMENTS: becomes pytest, on the tests of that lane.
run() {
  local lane=$1 nice=5 tests=(tests/shop_reco)
  shift
  case $lane in
    faults | browser)
      nice=0 # what mostly waits for processes and pages goes first whenever it can go on
      tests=("tests/$lane")
      ;;
    engine)
      tests=(tests --ignore=tests/shop_reco --ignore=tests/faults --ignore=tests/browser)
      ;;
    postgresql)
      export TEST_DATABASE_URL=$server
      # Hostile files are read by a process of its own, on SQLite whatever the rest uses.
      tests=(tests/shop_reco --ignore=tests/shop_reco/tables/test_hostile.py -m "not any_database")
      ;;
  esac
  exec nice -n "$nice" .venv/bin/pytest -q -o "cache_dir=.pytest_cache/$lane" "${tests[@]}" "$@"
}

for lane in "${lanes[@]}"; do
  rm -rf ".pytest_cache/$lane" # or what failed in another run would be tried again in this one
  : >"$output/$lane"
  run "$lane" >"$output/$lane" 2>&1 &
  processes+=($!)
done
status=0
again=()
for place in "${!lanes[@]}"; do
  lane=${lanes[$place]}
  echo "tests, $lane:"
  tail -n +1 -f "$output/$lane" &
  follower=$!
  ended=0
  wait "${processes[$place]}" || ended=$?
  sleep 1
  kill "$follower" 2>/dev/null || true
  wait "$follower" 2>/dev/null || true
  tail -n 1 "$output/$lane" >"$output/$lane.sum"
  if [ "$ended" = 1 ] && [ "$(grep -cE '^(FAILED|ERROR) tests/' "$output/$lane")" -le "$MOST_AGAIN" ]; then
    again+=("$lane")
  elif [ "$ended" != 0 ]; then
    status=1
  fi
done
for lane in ${again[@]+"${again[@]}"}; do
  echo "tests of $lane that failed beside the others, alone:"
  if (run "$lane" --last-failed --last-failed-no-failures=none) 2>&1 | tee "$output/$lane.again"; then
    sed -i -E 's/[0-9]+ (failed|errors?),? ?//g' "$output/$lane.sum"
  else
    status=1
  fi
  tail -n 1 "$output/$lane.again" | grep -oE '[0-9]+ passed' >>"$output/$lane.sum" || true
done
for lane in ${again[@]+"${again[@]}"}; do
  grep -E '^(FAILED|ERROR) tests/' "$output/$lane" | sed 's/^[A-Z]* /needed a second try, alone: /'
done
for lane in "${lanes[@]}"; do
  sed "s/^[= ]*/$lane: /" "$output/$lane.sum"
done
cat "$output"/*.sum | grep -oE '[0-9]+ (passed|failed|error|skipped)' | awk '
  { sum[$2] += $1 }
  END { printf "%d passed, %d failed, %d skipped\n", sum["passed"], sum["failed"] + sum["error"], sum["skipped"] }'
exit "$status"
