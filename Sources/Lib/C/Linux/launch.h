/* Starts a program as another user, below a keeper, in the child of a plain fork.

   The keeper is a second process of ours. It waits for the program's end, or for the end of the lifeline, a
   pipe that only the starting process holds: whichever comes first, it kills all that is left below it. A
   signal at the parent's end alone does not do: bubblewrap asks for one late, and a box that was half begun
   when its starter died stayed for ever.

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
  /* Set at the start: the lifeline's end; the program and all below it die when it is closed. */
  int lifeline;
};

/* Becomes the user for good. */
static inline int porter_launch_drop(const struct porter_launch *launch) {
  if (launch->user < 0) return 0;
  for (int capability = 0; capability < 64; capability++)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (syscall(SYS_setgroups, 0, 0) != 0) return -1;
  if (syscall(SYS_setresgid, launch->group, launch->group, launch->group) != 0) return -1;
  return (int)syscall(SYS_setresuid, launch->user, launch->user, launch->user);
}

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
  if (porter_launch_drop(launch) != 0) return;
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

/* Kills and reaps children until there is none, orphans that become ours meanwhile included. */
static inline void porter_keeper_clear(void) {
  for (;;) {
    char list[4096];
    int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? 0 : read(file, list, sizeof list);
    if (file >= 0) close(file);
    pid_t pid = 0;
    for (ssize_t i = 0; i < count; i++) {
      if (list[i] >= '0' && list[i] <= '9') {
        pid = pid * 10 + (list[i] - '0');
      } else {
        if (pid > 1) kill(pid, SIGKILL);
        pid = 0;
      }
    }
    pid_t reaped;
    do reaped = waitpid(-1, 0, WNOHANG);
    while (reaped > 0);
    if (reaped < 0 && errno == ECHILD) return;
    poll(0, 0, 1);
  }
}

/* The keeper's life: ends with the program's exit code, 128 + n for signal n. */
static inline void porter_keeper(const struct porter_launch *launch, int null, int lifeline, int word) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  setsid();
  pid_t keeper = getpid();
  pid_t program = fork();
  if (program == 0) {
    porter_launch_child(launch, null, keeper);
    int number = errno;
    if (write(word, &number, sizeof number) < 0) _exit(126);
    _exit(127);
  }
  if (program < 0) {
    int number = errno;
    if (write(word, &number, sizeof number) < 0) _exit(126);
    _exit(127);
  }
  /* What follows needs no rights; and this copy of our memory is nobody's business. */
  if (porter_launch_drop(launch) != 0) kill(program, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (chdir("/") != 0) kill(program, SIGKILL);
  dup2(null, 0);
  dup2(null, 1);
  dup2(null, 2);
  dup2(lifeline, 3);
  /* Everything else goes: locks, sockets, other lifelines. */
  syscall(SYS_close_range, 4, ~0U, 0);
  int end = (int)syscall(SYS_pidfd_open, program, 0);
  struct pollfd watched[2] = {{end, POLLIN, 0}, {3, POLLIN, 0}};
  while (end >= 0 && poll(watched, 2, -1) < 0 && errno == EINTR) {}
  int status = SIGKILL;
  if (end >= 0 && watched[0].revents != 0) waitpid(program, &status, 0);
  porter_keeper_clear();
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Starts the program below a keeper, and sets the lifeline.
   Returns the keeper's process id, or -1 with errno set to what was refused in the parent or the child. */
static inline pid_t porter_launch(struct porter_launch *launch) {
  int ends[2], line[2];
  launch->lifeline = -1;
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  if (pipe2(line, O_CLOEXEC) != 0) {
    close(ends[0]);
    close(ends[1]);
    return -1;
  }
  /* Out of the way of the children's own numbers. */
  int word = fcntl(ends[1], F_DUPFD_CLOEXEC, 64);
  int lifeline = fcntl(line[0], F_DUPFD_CLOEXEC, 64);
  int opened = open("/dev/null", O_RDWR | O_CLOEXEC);
  int null = fcntl(opened, F_DUPFD_CLOEXEC, 64);
  close(ends[1]);
  close(line[0]);
  if (opened >= 0) close(opened);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = word < 0 || lifeline < 0 || null < 0 ? -1 : fork();
  if (child == 0) porter_keeper(launch, null, lifeline, word);
  int refusal = errno;
  pthread_sigmask(SIG_SETMASK, &before, 0);
  if (null >= 0) close(null);
  if (lifeline >= 0) close(lifeline);
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
  if (child > 0)
    launch->lifeline = line[1];
  else
    close(line[1]);
  errno = refusal;
  return child;
}

/* What glibc names POSIX_SPAWN_SETSID for _GNU_SOURCE alone. */
static const short porter_spawn_session = 0x80;

/* A file without a name, in memory. https://man7.org/linux/man-pages/man2/memfd_create.2.html */
static inline int porter_memory_file(const char *name) {
  int file = (int)syscall(SYS_memfd_create, name, 1U);
  if (file < 0) return -1;
  /* Out of the way of the numbers that a child is given. */
  int copy = fcntl(file, F_DUPFD_CLOEXEC, 64);
  close(file);
  return copy;
}

/* Opens below a folder; openat is variadic. */
static inline int porter_open_below(int folder, const char *name, int flags) {
  return openat(folder, name, flags);
}
