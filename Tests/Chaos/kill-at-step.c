/* Kills its process at a named step of an outward effect, for tests of the built programs.

   The programs say each step in their log, at level debug, and know nothing of this: preloaded, it watches what
   they write to standard error, and ends them with SIGKILL as soon as the line of the step is written, before
   the step goes on. PORTER_KILL_STEP names the step; without it nothing happens.
   https://man7.org/linux/man-pages/man8/ld.so.8.html */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t write(int descriptor, const void *bytes, size_t count) {
  static ssize_t (*next)(int, const void *, size_t);
  if (!next) next = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  ssize_t written = next(descriptor, bytes, count);
  const char *step = descriptor == STDERR_FILENO ? getenv("PORTER_KILL_STEP") : NULL;
  char line[200];
  if (step && snprintf(line, sizeof line, "step.name=%s\n", step) < (int)sizeof line &&
      memmem(bytes, count, line, strlen(line)))
    kill(getpid(), SIGKILL);
  return written;
}
