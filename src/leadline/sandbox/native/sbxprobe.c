/* sbxprobe: what a process of a box can reach, for the egress proof.
 *
 *   sbxprobe [TYPE:SOCKADDR]...    TYPE is 1 (stream) or 2 (datagram), SOCKADDR raw bytes in hex
 *
 * The same program runs outside as the positive control. Nothing is sent: a datagram socket is only
 * connected, which looks up a route, and families other than those given are only created.
 * Lines on stdout:
 *   connect INDEX ERRNO                 0: connected
 *   family NUMBER ERRNO ERRNO ERRNO ERRNO   stream, datagram, raw, seqpacket
 *   high NUMBER ERRNO                   the family with a high bit of the register set
 *   netlink PROTOCOL ERRNO
 *   fd NUMBER        each open descriptor
 *   env NAME         each variable, without its value
 *   status LINE      of /proc/self/status
 *   nnp NUMBER       whether executing a program can add powers: 1 if not
 *   netns NAME       of the network namespace
 */
#include "freestanding.h"

enum { POLLOUT = 4, SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000, SOL_SOCKET = 1, SO_ERROR = 4,
  EINPROGRESS = 115, EAGAIN = 11, ETIMEDOUT = 110, F_GETFD = 1, PR_GET_NO_NEW_PRIVS = 39, AF_NETLINK = 16 };
enum { FAMILIES = 64, PROTOCOLS = 32, FDS = 1024, WAIT_NANOSECONDS = 500 * 1000 * 1000 };

static char line[8192];
static size_t used;

static void flush(void) { write_all(1, line, used); used = 0; }
static void text(const char *s, size_t n) {
  if (used + n >= sizeof line) flush();
  if (n >= sizeof line) { write_all(1, s, n); return; }
  memcpy(line + used, s, n); used += n;
}
static void word(const char *s) { text(s, length(s)); }
static void decimal(long v) {
  char digits[24]; int at = sizeof digits;
  do digits[--at] = (char)('0' + v % 10); while (v /= 10);
  text(" ", 1); text(digits + at, sizeof digits - (size_t)at);
}
static void close_fd(long fd) { SYS(close, fd, 0, 0, 0, 0); }

static long try_socket(long family, long type, long protocol) {
  long fd = SYS(socket, family, type | SOCK_CLOEXEC, protocol, 0, 0);
  if (fd < 0) return -fd;
  close_fd(fd);
  return 0;
}
static int nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }
static long try_connect(const char *target) {
  uint8_t address[128]; size_t n = 0;
  const char *hex = target + 2;
  while (hex[0] && hex[1] && n < sizeof address) { address[n++] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1])); hex += 2; }
  uint16_t family; memcpy(&family, address, 2);
  long fd = SYS(socket, family, (target[0] - '0') | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0, 0);
  if (fd < 0) return -fd;
  long error = -SYS(connect, fd, address, n, 0, 0);
  if (error == EINPROGRESS || error == EAGAIN) {
    struct { int32_t fd; int16_t events, revents; } p = {(int32_t)fd, POLLOUT, 0};
    struct { int64_t s, ns; } wait = {0, WAIT_NANOSECONDS};
    int32_t pending = 0; uint32_t size = sizeof pending;
    long ready = SYS(ppoll, &p, 1, &wait, 0, 8);
    if (ready <= 0) error = ETIMEDOUT;
    else { SYS(getsockopt, fd, SOL_SOCKET, SO_ERROR, &pending, &size); error = pending; }
  }
  close_fd(fd);
  return error;
}
static void status(void) {
  static char file[4096]; int fd = open_at("/proc/self/status", 0, 0);
  long n = SYS(read, fd, file, sizeof file, 0, 0);
  for (long from = 0, i = 0; i < n; i++)
    if (file[i] == '\n') { word("status "); text(file + from, (size_t)(i - from + 1)); from = i + 1; }
}

__attribute__((used)) _Noreturn void entry(long *sp) {
  int argc = (int)*sp; char **argv = (char **)(sp + 1), **envp = argv + argc + 1;
  for (int fd = 0; fd < FDS; fd++)
    if (SYS(fcntl, fd, F_GETFD, 0, 0, 0) >= 0) { word("fd"); decimal(fd); word("\n"); }
  for (int i = 1; i < argc; i++) { long e = try_connect(argv[i]); word("connect"); decimal(i - 1); decimal(e); word("\n"); }
  for (long f = 0; f < FAMILIES; f++) {
    word("family"); decimal(f);
    for (long type = 1; type <= 5; type++) if (type != 4) decimal(try_socket(f, type, 0));
    word("\nhigh"); decimal(f); decimal(try_socket(f | 1l << 32, 1, 0)); word("\n");
  }
  for (long p = 0; p < PROTOCOLS; p++) { word("netlink"); decimal(p); decimal(try_socket(AF_NETLINK, 3, p)); word("\n"); }
  for (char **e = envp; *e; e++) { size_t n = 0; while ((*e)[n] && (*e)[n] != '=') n++; word("env "); text(*e, n); word("\n"); }
  status();
  word("nnp"); decimal(SYS(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); word("\n");
  char name[64]; long n = SYS(readlinkat, AT_FDCWD, "/proc/self/ns/net", name, sizeof name, 0);
  word("netns "); if (n > 0) text(name, (size_t)n);
  word("\n");
  flush();
  leave(0);
}
