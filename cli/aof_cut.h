/* aof_cut.h - what redis-check-aof cut off a file, as its words in a log tell.
 */
#ifndef PARLEY_AOF_CUT_H
#define PARLEY_AOF_CUT_H

#include <stdint.h>

/* In bytes, by the log from byte `from` on; 0: nothing, or the log cannot be read. Only
 * the first AOF_CUT_LOOK_BYTES behind `from` are looked at. */
enum { AOF_CUT_LOOK_BYTES = 16384 };
int64_t aof_cut_bytes(const char *log_path, int64_t from);

#endif
