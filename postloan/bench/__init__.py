"""Measurements that set what the program does against what the machine can do, in one run: `manage.py bench_money`."""
