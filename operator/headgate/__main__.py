"""`python -m headgate` is the same as the command `headgate`."""

from headgate.cli import main

if __name__ == "__main__":
    main()
