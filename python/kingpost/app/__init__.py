"""The App: where routing, binding and answers meet, compiled once into what the engine serves."""
