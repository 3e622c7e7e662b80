"""The figures of the README: measured on this machine, each against its peer or limit in the same run."""
