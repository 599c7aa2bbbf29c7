#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Type, length, value: a name record (type 1) goes into a buffer of 16 bytes on the heap. */
int main(int argc, char **argv) {
  unsigned char head[2], value[256];
  char *name = malloc(16);
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!file || !name)
    return 1;
  while (fread(head, 1, 2, file) == 2 && fread(value, 1, head[1], file) == head[1]) {
    size_t length = head[1];
#ifdef PATCHED_1
    if (length > 16)
      break;
#endif
    if (head[0] == 1)
      memcpy(name, value, length);
  }
  free(name);
  fclose(file);
  return 1;
}
