#!/usr/bin/env bash
# The step "Check" of action.yml: one examination, told in the forms that GitHub shows.
# Inputs come as INPUT_* in the environment. Runs on the bash 3.2 of macOS too.
set -euo pipefail

line=(check)
option() { if [ -n "$2" ]; then line+=("$1" "$2"); fi; }
words() { # one word a line, empty lines left out
  while IFS= read -r word || [ -n "$word" ]; do
    if [ -n "$word" ]; then line+=("$word"); fi
  done <<<"${1//$'\r'/}"
}
doctor() { "$INPUT_PYTHON" -m rnn_doctor "$@"; }

folder=$(mktemp -d "$RUNNER_TEMP/rnn-doctor.XXXXXX")
report="$folder/report.json"
sarif="$folder/report.sarif"

line+=(-f json -o "$report")
option --steps "$INPUT_STEPS"
option --fail-on "$INPUT_FAIL_ON"
option --baseline "$INPUT_BASELINE"
words "$INPUT_OPTIONS"
if [ -n "$INPUT_MODULE" ]; then
  line+=(-m "$INPUT_MODULE")
  words "$INPUT_ARGS"
elif [ -n "$INPUT_SCRIPT" ]; then
  line+=(-- "$INPUT_SCRIPT")
  words "$INPUT_ARGS"
fi

# Lines that begin with :: are commands to the runner, and the script's output is nobody's command.
stop="rnn-doctor-$RANDOM$RANDOM$RANDOM"
echo "::stop-commands::$stop"
code=0
doctor "${line[@]}" || code=$?
echo "::$stop::"
echo "exit-code=$code" >>"$GITHUB_OUTPUT"

if [ -s "$report" ]; then
  echo "report=$report" >>"$GITHUB_OUTPUT"
  doctor report -q -f sarif -o "$sarif" "$report"
  echo "sarif=$sarif" >>"$GITHUB_OUTPUT"
  if [ "$INPUT_ANNOTATIONS" = true ]; then doctor report -q -f github "$report"; fi
  if [ "$INPUT_SUMMARY" = true ]; then doctor report -q -f markdown "$report" >>"$GITHUB_STEP_SUMMARY"; fi
fi
exit "$code"
