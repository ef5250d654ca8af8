/* Starts a program as another user, in the child of a plain fork.

   posix_spawn can neither change the user, nor join a control group, nor ask for a signal at the parent's end.
   Between fork and exec only system calls are made, because other threads may hold any lock; the calls
   that glibc would spread over all threads are made raw.
   https://man7.org/linux/man-pages/man7/signal-safety.7.html */
struct porter_launch {
  const char *program;
  char *const *arguments;
  char *const *environment;
  const char *directory;
  /* What the child becomes; -1 leaves it as it is. */
  long user;
  long group;
  /* The child's standard output and error, and its descriptor 3; -1 for none. */
  int output;
  int options;
  /* Open `cgroup.procs` files of the groups that the child joins before it drops its rights. */
  const int *groups;
  int group_count;
  /* RLIMIT_NPROC; 0 leaves it as it is. */
  unsigned long processes;
  /* Whether orphans below the child become its children. */
  int adopts_orphans;
};

/* The child's part; returns only when something was refused. */
static inline void porter_launch_child(const struct porter_launch *launch, int null, pid_t parent) {
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < 65; number++) sigaction(number, &standard, 0);
  for (int i = 0; i < launch->group_count; i++)
    if (write(launch->groups[i], "0", 1) != 1) return;
  struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return;
  if (launch->processes != 0) {
    struct rlimit most = {launch->processes, launch->processes}, present;
    if (getrlimit(RLIMIT_NPROC, &present) != 0) return;
    if (present.rlim_max > most.rlim_max && setrlimit(RLIMIT_NPROC, &most) != 0) return;
  }
  if (launch->user >= 0) {
    for (int capability = 0; capability < 64; capability++)
      prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (syscall(SYS_setgroups, 0, 0) != 0) return;
    if (syscall(SYS_setresgid, launch->group, launch->group, launch->group) != 0) return;
    if (syscall(SYS_setresuid, launch->user, launch->user, launch->user) != 0) return;
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
  if (launch->adopts_orphans && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return;
  /* After the change of user, which clears it. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return;
  if (getppid() != parent) _exit(127);
  setsid();
  umask(022);
  if (chdir(launch->directory) != 0) return;
  if (dup2(null, 0) < 0 || dup2(launch->output, 1) < 0 || dup2(launch->output, 2) < 0) return;
  if (launch->options >= 0 && dup2(launch->options, 3) < 0) return;
  /* CLOSE_RANGE_CLOEXEC: what is not named stays behind at the exec. */
  if (syscall(SYS_close_range, launch->options >= 0 ? 4 : 3, ~0U, 4) != 0) return;
  sigset_t nothing;
  sigemptyset(&nothing);
  sigprocmask(SIG_SETMASK, &nothing, 0);
  execve(launch->program, launch->arguments, launch->environment);
}

/* Starts the program; the child is killed when the calling thread ends.
   Returns its process id, or -1 with errno set to what was refused in the parent or the child. */
static inline pid_t porter_launch(const struct porter_launch *launch) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int ends[2];
  if (null < 0) return -1;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    close(null);
    return -1;
  }
  /* Out of the way of the child's own numbers. */
  int word = fcntl(ends[1], F_DUPFD_CLOEXEC, 64);
  close(ends[1]);
  pid_t parent = getpid();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = word < 0 ? -1 : fork();
  if (child == 0) {
    porter_launch_child(launch, null, parent);
    int number = errno;
    if (write(word, &number, sizeof number) < 0) _exit(126);
    _exit(127);
  }
  int refusal = errno;
  pthread_sigmask(SIG_SETMASK, &before, 0);
  close(null);
  if (word >= 0) close(word);
  int number = 0;
  ssize_t count = 0;
  if (child > 0) {
    do count = read(ends[0], &number, sizeof number);
    while (count < 0 && errno == EINTR);
  }
  close(ends[0]);
  if (child > 0 && count == sizeof number) {
    while (waitpid(child, 0, 0) < 0 && errno == EINTR) {}
    child = -1;
    refusal = number;
  }
  errno = refusal;
  return child;
}

/* What glibc names POSIX_SPAWN_SETSID for _GNU_SOURCE alone. */
static const short porter_spawn_session = 0x80;

/* A file without a name, in memory. https://man7.org/linux/man-pages/man2/memfd_create.2.html */
static inline int porter_memory_file(const char *name) {
  return (int)syscall(SYS_memfd_create, name, 1U);
}

/* Opens below a folder; openat is variadic. */
static inline int porter_open_below(int folder, const char *name, int flags) {
  return openat(folder, name, flags);
}
