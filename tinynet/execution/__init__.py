"""How functions of arrays run: on several threads, recorded and replayed, in shards that meet."""
