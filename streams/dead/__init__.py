"""Dead letters: messages put aside with their reason, to be read, mended and replayed."""
