#include <stdio.h>
int main(void) {
  int c, lines = 0;
  while ((c = getchar()) != EOF)
    lines += c == '\n';
#ifdef PATCHED
  printf("%d lines\n", lines);
#else
  printf("%d\n", lines);
#endif
  return 0;
}
