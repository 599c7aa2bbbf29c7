/* What both programs of a box stand on instead of a libc: system calls, entry and a few loops.
 *
 * Freestanding on purpose: the binaries hold nothing but these files, are the same on every
 * distribution, and one compiler builds them for both architectures (see build.py).
 */
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
enum { N_read = 0, N_write = 1, N_close = 3, N_mmap = 9, N_munmap = 11, N_rt_sigprocmask = 14,
  N_sendto = 44, N_recvmsg = 47, N_execve = 59, N_wait4 = 61, N_kill = 62, N_fcntl = 72,
  N_ftruncate = 77, N_chdir = 80, N_setsid = 112, N_setgroups = 116, N_setresuid = 117,
  N_setresgid = 119, N_prctl = 157, N_mount = 165, N_exit_group = 231, N_openat = 257,
  N_mkdirat = 258, N_ppoll = 271, N_unshare = 272, N_signalfd4 = 289, N_dup3 = 292,
  N_prlimit64 = 302, N_statx = 332, N_close_range = 436, N_clone = 56, N_socket = 41, N_connect = 42, N_getsockopt = 55, N_readlinkat = 267 };
static long sys6(long n, long a, long b, long c, long d, long e, long f) {
  long r; register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return r;
}
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call entry\n hlt\n");
#elif defined(__aarch64__)
enum { N_read = 63, N_write = 64, N_close = 57, N_mmap = 222, N_munmap = 215,
  N_rt_sigprocmask = 135, N_sendto = 206, N_recvmsg = 212, N_execve = 221, N_wait4 = 260,
  N_kill = 129, N_fcntl = 25, N_ftruncate = 46, N_chdir = 49, N_setsid = 157, N_setgroups = 159,
  N_setresuid = 147, N_setresgid = 149, N_prctl = 167, N_mount = 40, N_exit_group = 94,
  N_openat = 56, N_mkdirat = 34, N_ppoll = 73, N_unshare = 97, N_signalfd4 = 74, N_dup3 = 24,
  N_prlimit64 = 261, N_statx = 291, N_close_range = 436, N_clone = 220, N_socket = 198, N_connect = 203, N_getsockopt = 209, N_readlinkat = 78 };
static long sys6(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
                x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x0, sp\n bl entry\n");
#else
#error "boxes run on x86_64 and aarch64"
#endif

#define SYS(n, a, b, c, d, e) sys6(N_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

enum { EINTR = 4, AT_FDCWD = -100, O_CLOEXEC = 02000000 };

void *memcpy(void *d, const void *s, size_t n) {
  for (size_t i = 0; i < n; i++) ((char *)d)[i] = ((const char *)s)[i];
  return d;
}
void *memset(void *d, int c, size_t n) {
  for (size_t i = 0; i < n; i++) ((volatile char *)d)[i] = (char)c;
  return d;
}
static size_t length(const char *s) { size_t n = 0; while (s[n]) n++; return n; }
static _Noreturn void leave(int code) { for (;;) SYS(exit_group, code, 0, 0, 0, 0); }
static int open_at(const char *path, int flags, int mode) {
  return (int)SYS(openat, AT_FDCWD, path, flags | O_CLOEXEC, mode, 0);
}
static int write_all(int fd, const char *p, size_t n) {
  while (n) {
    long r = SYS(write, fd, p, n, 0, 0);
    if (r == -EINTR) continue;
    if (r < 0) return (int)-r;
    p += r; n -= (size_t)r;
  }
  return 0;
}
