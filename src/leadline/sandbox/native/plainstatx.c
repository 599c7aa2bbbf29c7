/* plainstatx: the statx of a libc, less one flag, to be preloaded into `ls` and its like.
 *
 * gVisor of 2022 calls AT_NO_AUTOMOUNT invalid, and coreutils asks with it whenever it looks at a file. No
 * box has automounts, so the answer is the same without. Preloaded into those programs alone.
 */
enum { AT_NO_AUTOMOUNT = 0x800 };
int *__errno_location(void);

static long statx_call(long fd, long path, long flags, long mask, long into) {
#if defined(__x86_64__)
  long r; register long r10 __asm__("r10") = mask, r8 __asm__("r8") = into;
  __asm__ volatile("syscall" : "=a"(r) : "a"(332L), "D"(fd), "S"(path), "d"(flags), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return r;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = 291, x0 __asm__("x0") = fd, x1 __asm__("x1") = path,
                x2 __asm__("x2") = flags, x3 __asm__("x3") = mask, x4 __asm__("x4") = into;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "boxes run on x86_64 and aarch64"
#endif
}

__attribute__((visibility("default"))) int statx(int fd, const char *path, int flags, unsigned mask, void *into) {
  long r = statx_call(fd, (long)path, flags & ~AT_NO_AUTOMOUNT, mask, (long)into);
  if (r >= 0) return 0;
  *__errno_location() = (int)-r;
  return -1;
}
