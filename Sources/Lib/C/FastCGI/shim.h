#include <fastcgi.h>
#include <fcgiapp.h>
#include <malloc.h>
