"""How is it done? One coroutine for each desired activity; it reports what it saw and decides nothing."""
