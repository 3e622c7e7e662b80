"""What the API answers from where log, engine and store are this process's own."""
