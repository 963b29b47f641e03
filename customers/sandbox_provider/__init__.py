"""A provider of outside records for trials: a small HTTP server with figures made from a firm's code."""
