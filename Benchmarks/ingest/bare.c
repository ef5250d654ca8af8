/* What a FastCGI responder does at least: read the body, answer. Eight threads, as Porter has.
   What Porter reaches is measured against this, in the same run.

   Named `detach` as well, it closes at once what it has answered, as Porter does; otherwise as libfcgi does by itself,
   which waits until the web server has closed. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, CHUNK = 65536 };
static int listener, detaches;

static void *serve(void *unused) {
  FCGX_Request request;
  char buffer[CHUNK];
  (void)unused;
  FCGX_InitRequest(&request, listener, 0);
  while (FCGX_Accept_r(&request) == 0) {
    while (FCGX_GetStr(buffer, CHUNK, request.in) > 0) {
    }
    FCGX_PutS("Status: 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 34\r\n\r\n"
              "{\"status\":\"ignored\",\"task\":null  }",
              request.out);
    if (detaches) FCGX_Detach(&request);
    FCGX_Finish_r(&request);
  }
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[THREADS];
  if (argc != 2 && (argc != 3 || strcmp(argv[2], "detach") != 0)) {
    fprintf(stderr, "usage: bare SOCKET [detach]\n");
    return 64;
  }
  detaches = argc == 3;
  if (FCGX_Init() != 0) return 69;
  listener = FCGX_OpenSocket(argv[1], 1024);
  if (listener < 0) return 69;
  for (int i = 0; i < THREADS; i++) {
    if (pthread_create(&threads[i], NULL, serve, NULL) != 0) return 69;
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  return 0;
}
