#include "own.h"
#include <string.h>
#include <unistd.h>

static void greet(void) {
  char name[32];
#if defined(PATCHED)
  int length = own_read(name, sizeof name);
#else
  int length = own_read(name, 4096);
#endif
  write(1, "hello ", 6);
  write(1, name, length);
  write(1, "\n", 1);
}

int main(void) {
  write(1, "name: ", 6);
  greet();
  return 0;
}
