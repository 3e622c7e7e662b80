"""The profile store: a view of the state, served from Redis or Valkey."""
