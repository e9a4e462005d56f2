"""The signals by which others end a program: Ctrl-C, kill, and a terminal that closes."""

import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
