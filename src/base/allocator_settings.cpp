// How jemalloc behaves in programs of ours; it looks for this name. MALLOC_CONF overrides it.

// Memory that a burst of runs leaves free is kept for the next one for a minute, and then given
// back by a thread of the allocator's own: giving it back interrupts every core that runs.
// NOLINTNEXTLINE(readability-identifier-naming): the name is jemalloc's.
extern "C" const char* const malloc_conf = "background_thread:true,dirty_decay_ms:60000";
