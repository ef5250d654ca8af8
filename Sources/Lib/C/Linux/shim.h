#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* prctl is variadic, which Swift cannot call. https://man7.org/linux/man-pages/man2/prctl.2.html */
static inline int porter_prctl(int option, unsigned long a) { return prctl(option, a, 0, 0, 0); }

/* The macros take a wait status apart; macros with arguments do not import. */
static inline int porter_exited(int status) { return WIFEXITED(status); }
static inline int porter_exit_code(int status) { return WEXITSTATUS(status); }
static inline int porter_signal(int status) { return WTERMSIG(status); }
