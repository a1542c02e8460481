"""The harness behind `run.py`: builds peers, runs them and Kingpost in turns, reports ratios."""
