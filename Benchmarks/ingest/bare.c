/* The least that a FastCGI responder can do: read the body, answer. Eight threads, as Porter has.
   What Porter reaches is measured against this, in the same run. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, CHUNK = 65536 };
static int listener;

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
    FCGX_Finish_r(&request);
  }
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[THREADS];
  if (argc != 2) {
    fprintf(stderr, "usage: bare SOCKET\n");
    return 64;
  }
  if (FCGX_Init() != 0) return 69;
  listener = FCGX_OpenSocket(argv[1], 1024);
  if (listener < 0) return 69;
  for (int i = 0; i < THREADS; i++) {
    if (pthread_create(&threads[i], NULL, serve, NULL) != 0) return 69;
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  return 0;
}
