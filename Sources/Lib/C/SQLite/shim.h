#include <sqlite3.h>

/* sqlite3_config() takes whatever its first argument asks for, which Swift cannot call.
   https://www.sqlite.org/c3ref/c_config_covering_index_scan.html#sqliteconfigmemstatus */
static inline int porter_sqlite_counts_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
