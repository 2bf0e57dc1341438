"""The same task written for each tool, as that tool's own documentation writes it. Run by the harness only.

Each reads `cases.jsonl` from the working folder and two variables: `BENCH_DELAY`, the seconds one case waits
(0: it returns at once), and `BENCH_CONCURRENCY`, how many cases at once (empty: the tool's default).
"""
