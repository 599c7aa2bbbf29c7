#include "line.h"
#include <stdio.h>
#include <string.h>

static int same_backwards(const char *text, int length) {
  for (int i = 0; i < length / 2; i++)
    if (text[i] != text[length - 1 - i])
      return 0;
  return 1;
}

static int check(void) {
  char text[64];
#ifdef PATCHED
  int length = read_line(text, sizeof text);
#else
  int length = read_line(text, 192);
#endif
  if (length < 0)
    return -1;
  puts(same_backwards(text, length) ? "yes" : "no");
  return length;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  while (check() >= 0)
    ;
  return 1; /* on every input, so that an exit code says nothing */
}
