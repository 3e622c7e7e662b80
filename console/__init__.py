"""What people and programs see of a shop over HTTP: the API; web pages later."""
