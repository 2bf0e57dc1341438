#!/bin/sh
# Uses the evalkit on the PATH as a person would, in a project of their own.
set -eu
python -m pytest
evalkit runs
evalkit runs --json | python -c 'import json, sys; assert json.load(sys.stdin)'
evalkit show last
evalkit gate last
evalkit report last -o report.html
grep -q test_greetings report.html
python in_a_script.py
echo "the installed wheel works"
