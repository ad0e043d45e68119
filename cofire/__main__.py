"""`python -m cofire` is the command line."""

from cofire.cli import entry

if __name__ == "__main__":
    entry()
