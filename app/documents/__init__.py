"""The files of a shop's folder as documents: read with their lines, declared, described by schemas."""
