"""The demo: a real shop's year through the engine, then a simulated shop that goes on live."""
