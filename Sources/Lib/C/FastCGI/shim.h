#include <fcgiapp.h>
#include <malloc.h>
