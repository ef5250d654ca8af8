#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/epoll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* prctl is variadic, which Swift cannot call. https://man7.org/linux/man-pages/man2/prctl.2.html */
static inline int porter_prctl(int option, unsigned long a) { return prctl(option, a, 0, 0, 0); }

/* The macros take a wait status apart; macros with arguments do not import. */
static inline int porter_exited(int status) { return WIFEXITED(status); }
static inline int porter_exit_code(int status) { return WEXITSTATUS(status); }
static inline int porter_signal(int status) { return WTERMSIG(status); }

/* What glibc declares for _GNU_SOURCE alone, which a module cannot switch on.
   https://sourceware.org/glibc/manual/latest/html_node/Process-Creation-Concepts.html */
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
extern int pipe2(int ends[2], int flags);

static inline int porter_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
static inline int porter_spawn_directory(posix_spawn_file_actions_t *actions, const char *path) {
  return posix_spawn_file_actions_addchdir_np(actions, path);
}
static inline int porter_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

#include "launch.h"
