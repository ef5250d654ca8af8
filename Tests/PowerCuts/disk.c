/* A disk that is watched, and that can fail: a library to preload into programs that use SQLite.

   Whatever a program does to a database, its journal and its write-ahead log goes into one log, in the order in
   which it happened across all programs: files made, written, cut short, removed; when a sync began and when it
   had ended; and when an answer was written to a client. `replay.py` cuts that log anywhere and asks what a disk
   may hold then. On request writes and syncs fail with an error that is asked for.

   Environment: PORTER_DISK_DATABASE (the database's absolute path), PORTER_DISK_LOG, PORTER_DISK_CONTROL (made by
   `disk_prepare`), PORTER_DISK_SYNCHRONOUS=NORMAL (a PRAGMA that asks SQLite for FULL asks for NORMAL instead).

   A client is known by the abstract address that it binds its end of the unix socket to: "porter-act-NUMBER-PID". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a record says; `replay.py` has the same list. */
enum kind {
  CREATED = 1,      /* file: data is the name's ending after the database's path */
  WRITTEN = 2,      /* file, offset, data */
  RESIZED = 3,      /* file, offset is the new size */
  REMOVED = 4,      /* data is the name's ending */
  SYNC_BEGAN = 5,   /* file, offset is the sync's own number */
  SYNC_ENDED = 6,   /* the same, after its return */
  SYNC_FAILED = 7,  /* the same, when it returned an error */
  ANSWERED = 8,     /* offset is the client's number, data the beginning of what was written */
  MARKED = 9,       /* data is text */
};

struct record {
  uint32_t kind;
  uint32_t process;
  uint64_t file; /* the inode's number; 0 is the folder */
  uint64_t offset;
  uint64_t length; /* bytes of data that follow */
};

struct control {
  pthread_mutex_t lock; /* held while a file is changed, so that the log has the order of the changes */
  uint64_t syncs;
  int32_t failing_writes; /* so many writes fail from now on */
  int32_t failing_syncs;
  int32_t failing_checkpoints; /* so many syncs of the database itself */
  int32_t error;
};

enum { FILES = 65536, ANSWER_BYTES = 96, NOTHING = 0, A_FILE = 1, THE_FOLDER = 2, THE_DATABASE = 3 };

static struct control *control;
static int log_file = -1;
static char database[4096], folder[4096];
static unsigned char tracked[FILES]; /* by descriptor; written under the lock or before anybody else sees it */
static int asks_for_normal;

#define REAL(name) ((__typeof__(&name))real_##name)
#define FIND(name) real_##name = dlsym(RTLD_NEXT, #name)
static void *real_open, *real_open64, *real_openat, *real_openat64, *real_close, *real_write, *real_writev;
static void *real_pwrite, *real_pwrite64, *real_ftruncate, *real_ftruncate64, *real_unlink, *real_fsync;
static void *real_fdatasync, *real_posix_fallocate, *real_send, *real_sendmsg;

static void give_up(const char *what) {
  fprintf(stderr, "disk: %s: %s\n", what, strerror(errno));
  abort();
}

static void find_functions(void) {
  FIND(open), FIND(open64), FIND(openat), FIND(openat64), FIND(close), FIND(write), FIND(writev);
  FIND(pwrite), FIND(pwrite64), FIND(ftruncate), FIND(ftruncate64), FIND(unlink), FIND(fsync), FIND(fdatasync);
  FIND(posix_fallocate), FIND(send), FIND(sendmsg);
}

/* Takes part in the log; also what the driver of a recording calls. */
int disk_attach(const char *control_path, const char *log_path) {
  if (!real_open) find_functions();
  int descriptor = REAL(open)(control_path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return -1;
  control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  REAL(close)(descriptor);
  if (control == MAP_FAILED) return -1;
  log_file = REAL(open)(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return log_file < 0 ? -1 : 0;
}

/* Makes the file that all programs of a recording share. */
int disk_prepare(const char *control_path) {
  if (!real_open) find_functions();
  int descriptor = REAL(open)(control_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 || REAL(ftruncate)(descriptor, sizeof(struct control)) != 0) return -1;
  struct control *fresh =
      mmap(NULL, sizeof *fresh, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  REAL(close)(descriptor);
  if (fresh == MAP_FAILED) return -1;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&fresh->lock, &attributes);
  munmap(fresh, sizeof *fresh);
  return 0;
}

__attribute__((constructor)) static void begin(void) {
  find_functions();
  const char *path = getenv("PORTER_DISK_DATABASE");
  if (!path) return;
  if (strlen(path) >= sizeof database) give_up("PORTER_DISK_DATABASE");
  strcpy(database, path);
  strcpy(folder, path);
  char *slash = strrchr(folder, '/');
  if (!slash) give_up("PORTER_DISK_DATABASE is no absolute path");
  *slash = 0;
  const char *mode = getenv("PORTER_DISK_SYNCHRONOUS");
  asks_for_normal = mode && strcmp(mode, "NORMAL") == 0;
  if (disk_attach(getenv("PORTER_DISK_CONTROL"), getenv("PORTER_DISK_LOG")) != 0) give_up("PORTER_DISK_CONTROL");
}

static void lock(void) {
  int code = pthread_mutex_lock(&control->lock);
  if (code == EOWNERDEAD) pthread_mutex_consistent(&control->lock);
  else if (code != 0) {
    errno = code;
    give_up("lock");
  }
}

static void unlock(void) { pthread_mutex_unlock(&control->lock); }

/* Appends a record; the lock is held. */
static void tell(enum kind kind, uint64_t file, uint64_t offset, const void *data, uint64_t length) {
  struct record record = {kind, (uint32_t)getpid(), file, offset, length};
  struct iovec parts[2] = {{&record, sizeof record}, {(void *)data, length}};
  if (REAL(writev)(log_file, parts, 2) != (ssize_t)(sizeof record + length)) give_up("the log");
}

static uint64_t inode(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

/* The ending of a name that is watched ("" for the database itself), NULL for any other. */
static const char *ending(const char *path) {
  if (!control) return NULL;
  size_t length = strlen(database);
  if (length == 0 || strncmp(path, database, length) != 0) return NULL;
  const char *rest = path + length;
  return !*rest || strcmp(rest, "-wal") == 0 || strcmp(rest, "-journal") == 0 ? rest : NULL;
}

static int watch(const char *path, int flags, mode_t mode, int base, void *function) {
  const char *rest = ending(path);
  if (!rest) {
    int descriptor = ((__typeof__(&openat))function)(base, path, flags, mode);
    if (descriptor >= 0 && descriptor < FILES)
      tracked[descriptor] = control && *folder && strcmp(path, folder) == 0 ? THE_FOLDER : NOTHING;
    return descriptor;
  }
  lock();
  int was_there = access(path, F_OK) == 0;
  int descriptor = ((__typeof__(&openat))function)(base, path, flags, mode);
  int error = errno;
  if (descriptor >= FILES) give_up("too many open files");
  if (descriptor >= 0) {
    tracked[descriptor] = *rest ? A_FILE : THE_DATABASE;
    if (!was_there) tell(CREATED, inode(descriptor), 0, rest, strlen(rest));
    if (flags & O_TRUNC) tell(RESIZED, inode(descriptor), 0, NULL, 0);
  }
  unlock();
  errno = error;
  return descriptor;
}

#define OPENING(name, base, before)                                    \
  int name(before const char *path, int flags, ...) {                  \
    va_list more;                                                      \
    va_start(more, flags);                                             \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                      \
    if (!real_openat) find_functions();                                \
    return watch(path, flags, mode, base, real_openat);                \
  }
#define NONE
#define BASE int base,
OPENING(open, AT_FDCWD, NONE)
OPENING(open64, AT_FDCWD, NONE)
OPENING(openat, base, BASE)
OPENING(openat64, base, BASE)
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open(path, flags); }

static int is_file(int kind) { return kind == A_FILE || kind == THE_DATABASE; }

static int kind_of(int descriptor) {
  return control && descriptor >= 0 && descriptor < FILES ? tracked[descriptor] : NOTHING;
}

int close(int descriptor) {
  if (descriptor >= 0 && descriptor < FILES) tracked[descriptor] = NOTHING;
  if (!real_close) find_functions();
  return REAL(close)(descriptor);
}

/* Whether this operation is to fail; counts it. The lock is held. */
static int fails(int32_t *count) {
  if (*count <= 0) return 0;
  --*count;
  errno = control->error;
  return 1;
}

static ssize_t put(int descriptor, const void *data, size_t length, off64_t offset, int is_at_offset) {
  lock();
  if (fails(&control->failing_writes)) {
    unlock();
    return -1;
  }
  if (!is_at_offset) offset = lseek64(descriptor, 0, SEEK_CUR);
  ssize_t count = is_at_offset ? REAL(pwrite64)(descriptor, data, length, offset)
                               : REAL(write)(descriptor, data, length);
  int error = errno;
  if (count > 0) tell(WRITTEN, inode(descriptor), (uint64_t)offset, data, (uint64_t)count);
  unlock();
  errno = error;
  return count;
}

/* An answer to one of the recording's clients is a record, too, before a byte of it leaves. */
static void note_answer(int descriptor, const void *data, size_t length) {
  static const char prefix[] = "porter-act-";
  struct sockaddr_un peer;
  socklen_t size = sizeof peer;
  if (!control || getpeername(descriptor, (struct sockaddr *)&peer, &size) != 0) return;
  size_t start = sizeof(sa_family_t) + 1;
  if (peer.sun_family != AF_UNIX || size <= start + sizeof prefix - 1 || peer.sun_path[0]) return;
  if (memcmp(peer.sun_path + 1, prefix, sizeof prefix - 1) != 0) return;
  char number[48] = "";
  size_t digits = size - start - (sizeof prefix - 1);
  if (digits >= sizeof number) return;
  memcpy(number, peer.sun_path + sizeof prefix, digits);
  lock();
  tell(ANSWERED, 0, strtoull(number, NULL, 10), data, length < ANSWER_BYTES ? length : ANSWER_BYTES);
  unlock();
}

ssize_t write(int descriptor, const void *data, size_t length) {
  if (is_file(kind_of(descriptor))) return put(descriptor, data, length, 0, 0);
  if (!real_write) find_functions();
  int error = errno;
  note_answer(descriptor, data, length);
  errno = error;
  return REAL(write)(descriptor, data, length);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  if (!real_writev) find_functions();
  if (is_file(kind_of(descriptor))) give_up("a vectored write to a database is not foreseen");
  if (count > 0) note_answer(descriptor, parts[0].iov_base, parts[0].iov_len);
  return REAL(writev)(descriptor, parts, count);
}

ssize_t send(int descriptor, const void *data, size_t length, int flags) {
  note_answer(descriptor, data, length);
  return REAL(send)(descriptor, data, length, flags);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
  if (message->msg_iovlen > 0)
    note_answer(descriptor, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
  return REAL(sendmsg)(descriptor, message, flags);
}

ssize_t pwrite64(int descriptor, const void *data, size_t length, off64_t offset) {
  if (is_file(kind_of(descriptor))) return put(descriptor, data, length, offset, 1);
  return REAL(pwrite64)(descriptor, data, length, offset);
}
ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset) {
  return pwrite64(descriptor, data, length, offset);
}

int ftruncate64(int descriptor, off64_t length) {
  if (!is_file(kind_of(descriptor))) return REAL(ftruncate64)(descriptor, length);
  lock();
  int code = fails(&control->failing_writes) ? -1 : REAL(ftruncate64)(descriptor, length);
  int error = errno;
  if (code == 0) tell(RESIZED, inode(descriptor), (uint64_t)length, NULL, 0);
  unlock();
  errno = error;
  return code;
}
int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }

int posix_fallocate(int descriptor, off_t offset, off_t length) {
  if (is_file(kind_of(descriptor))) give_up("posix_fallocate of a database is not foreseen");
  return REAL(posix_fallocate)(descriptor, offset, length);
}

int unlink(const char *path) {
  const char *rest = ending(path);
  if (!rest) return REAL(unlink)(path);
  lock();
  int code = REAL(unlink)(path);
  int error = errno;
  if (code == 0) tell(REMOVED, 0, 0, rest, strlen(rest));
  unlock();
  errno = error;
  return code;
}

/* What was written before the sync began is on the disk once it has ended, and not before. */
static int flush(int descriptor, void *function) {
  int kind = kind_of(descriptor);
  if (kind == NOTHING) return ((__typeof__(&fsync))function)(descriptor);
  uint64_t file = kind == THE_FOLDER ? 0 : inode(descriptor);
  lock();
  uint64_t number = ++control->syncs;
  int is_to_fail = is_file(kind) && fails(&control->failing_syncs);
  if (kind == THE_DATABASE && !is_to_fail) is_to_fail = fails(&control->failing_checkpoints);
  int error = control->error;
  tell(SYNC_BEGAN, file, number, NULL, 0);
  unlock();
  int code = -1;
  if (!is_to_fail) {
    code = ((__typeof__(&fsync))function)(descriptor);
    error = errno;
  }
  lock();
  tell(code == 0 ? SYNC_ENDED : SYNC_FAILED, file, number, NULL, 0);
  unlock();
  errno = error;
  return code;
}
int fsync(int descriptor) { return flush(descriptor, real_fsync); }
int fdatasync(int descriptor) { return flush(descriptor, real_fdatasync); }

/* For the driver of a recording. */

/* Kills a child at a moment when it is not between a change and its record, and leaves it to be waited for. */
int disk_kill(int process) {
  siginfo_t info;
  lock();
  int code = kill(process, SIGKILL);
  if (code == 0) code = waitid(P_PID, (id_t)process, &info, WEXITED | WNOWAIT);
  unlock();
  return code;
}

void disk_mark(const char *text) {
  lock();
  tell(MARKED, 0, 0, text, strlen(text));
  unlock();
}

/* Lets so many writes and syncs of all files, and syncs of the database itself, fail from now on, with that error. */
void disk_fail(int writes, int syncs, int checkpoints, int error) {
  lock();
  control->failing_writes = writes;
  control->failing_syncs = syncs;
  control->failing_checkpoints = checkpoints;
  control->error = error;
  unlock();
}

int disk_failures_left(void) {
  lock();
  int left = control->failing_writes + control->failing_syncs + control->failing_checkpoints;
  unlock();
  return left;
}

/* SQLite, asked for less than Porter asks for. */

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
typedef int prepare_function(sqlite3 *, const char *, int, unsigned, sqlite3_stmt **, const char **);

/* Whether the statement is `PRAGMA synchronous = FULL`, however it is spelt. */
static int asks_for_full(const char *sql, int length) {
  char plain[64];
  size_t used = 0, size = length < 0 ? strlen(sql) : strnlen(sql, (size_t)length);
  if (!asks_for_normal || size > 128) return 0;
  for (size_t i = 0; i < size && used < sizeof plain - 1; i++)
    if (!strchr(" \t\n;", sql[i])) plain[used++] = (char)(sql[i] | 0x20);
  plain[used] = 0;
  return strcmp(plain, "pragmasynchronous=full") == 0 || strcmp(plain, "pragmasynchronous=2") == 0;
}

static int prepare(sqlite3 *connection, const char *sql, int length, unsigned flags, sqlite3_stmt **statement,
                   const char **tail) {
  static prepare_function *real;
  if (!real) real = (prepare_function *)dlsym(RTLD_NEXT, "sqlite3_prepare_v3");
  if (!asks_for_full(sql, length)) return real(connection, sql, length, flags, statement, tail);
  disk_mark("synchronous=NORMAL");
  int code = real(connection, "PRAGMA synchronous = NORMAL", -1, flags, statement, NULL);
  if (tail) *tail = sql + (length < 0 ? strlen(sql) : strnlen(sql, (size_t)length));
  return code;
}

int sqlite3_prepare_v3(sqlite3 *connection, const char *sql, int length, unsigned flags,
                       sqlite3_stmt **statement, const char **tail) {
  return prepare(connection, sql, length, flags, statement, tail);
}
int sqlite3_prepare_v2(sqlite3 *connection, const char *sql, int length, sqlite3_stmt **statement,
                       const char **tail) {
  return prepare(connection, sql, length, 0, statement, tail);
}
