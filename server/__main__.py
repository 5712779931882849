"""`python -m server` is `student-connect`."""

from server.cli import main

main()
