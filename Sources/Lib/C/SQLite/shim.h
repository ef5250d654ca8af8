#include <sqlite3.h>
#include <stddef.h>

/* sqlite3_config() takes whatever its first argument asks for, which Swift cannot call.
   https://www.sqlite.org/c3ref/c_config_covering_index_scan.html#sqliteconfigmemstatus */
static inline int porter_sqlite_counts_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

/* SQLITE_TRANSIENT is a pointer that Swift cannot write: SQLite copies the bytes. No bytes have no address, which
   would be NULL to SQLite.
   https://www.sqlite.org/c3ref/bind_blob.html */
static inline int porter_sqlite_bind_text(sqlite3_stmt *statement, int place, const void *bytes, size_t count) {
  return sqlite3_bind_text64(statement, place, bytes ? bytes : "", count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int porter_sqlite_bind_blob(sqlite3_stmt *statement, int place, const void *bytes, size_t count) {
  return sqlite3_bind_blob64(statement, place, bytes ? bytes : "", count, SQLITE_TRANSIENT);
}
