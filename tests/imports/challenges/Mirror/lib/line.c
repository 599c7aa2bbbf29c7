#include "line.h"
#include <stdio.h>

int read_line(char *text, int most) {
  int length = 0, c = getchar();
  if (c == EOF)
    return -1;
  while (c != EOF && c != '\n' && length < most) {
    text[length++] = (char)c;
    c = getchar();
  }
  return length;
}
