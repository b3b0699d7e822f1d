"""`python -m paper2code_local` is `p2c-local`."""

from paper2code_local.cli import main

if __name__ == "__main__":
    main(prog_name="p2c-local")
