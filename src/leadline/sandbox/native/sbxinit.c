/* sbxinit: the first process of every box, and the stage it is started from.
 *
 *   sbxinit init CTL [WORD]...               PID 1 of one box; CTL is the control socket's number
 *       WORD is "RESOURCE=BYTES", a limit of every job; "as=UID", jobs give up root for that user;
 *       "filter=PATH", a system call filter that PID 1 and every job carry from the start
 *   sbxinit stage UID DIR OP... -- ARGV...   as root: lay out mounts, become UID, execute ARGV
 *       OP is "bind SOURCE NAME" or "tmpfs OPTIONS NAME"; NAME appears under DIR, seen by ARGV alone
 *   sbxinit tied ARGV...                     execute ARGV, to end with the process that started it
 *
 * Protocol, little-endian, one SOCK_STREAM socket:
 *   request  {u32 len, u32 id, u8 op, 3 pad} + 3 descriptors by SCM_RIGHTS (stdin, stdout, stderr)
 *            + len bytes of payload
 *   reply    {u32 id, i32 status}; {0, 0} once, when ready
 *   'E' run      payload cwd\0 u32 argc u32 envc argv\0... env\0...; exit code or 128+signal
 *   'R' read     payload path\0, bytes to stdout; 0 or an errno
 *   'W' write    payload path\0, bytes from stdin; 0 or an errno
 *   'K' kill     the process group of job id; no reply of its own
 *   'A' kill     everything but PID 1; no reply
 * Negative status, so that no program can forge it by its exit code:
 *   -errno: the program could not be executed;  -1000-errno: no such working directory;
 *   -2000-errno: no process could be made, or the request was malformed.
 *
 * Invariants: PID 1 never executes, opens or parses anything a job wrote; it ends when the socket
 * does, and with it the kernel ends every process of the namespace; a job inherits descriptors 0-2
 * only, and every limit given on the command line. PID 1 itself carries no process limit, so that
 * it can still start a job under a fork bomb.
 */
#include "freestanding.h"

enum { EPERM = 1, ENOENT = 2, E2BIG = 7, ENOEXEC = 8, EAGAIN = 11, ENOMEM = 12,
  EACCES = 13, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENAMETOOLONG = 36 };
enum { SIGKILL = 9, SIGCHLD = 17, SIGXFSZ = 25, SIG_SETMASK = 2, SOL_SOCKET = 1, SCM_RIGHTS = 1,
  MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000, POLLIN = 1, WNOHANG = 1,
  F_SETFD = 2, FD_CLOEXEC = 1, PR_SET_PDEATHSIG = 1, PR_SET_DUMPABLE = 4, PR_SET_SECCOMP = 22,
  PR_CAPBSET_DROP = 24, PR_SET_NO_NEW_PRIVS = 38, SECCOMP_MODE_FILTER = 2, AT_EMPTY_PATH = 0x1000,
  S_IFMT = 0170000, S_IFDIR = 0040000, S_IFREG = 0100000 };
enum { O_WRONLY = 1, O_CREAT = 0100, O_NONBLOCK = 04000, O_PATH = 010000000 };
enum { MS_NOSUID = 2, MS_NODEV = 4, MS_BIND = 4096, MS_REC = 16384, MS_PRIVATE = 1 << 18 };
enum { PROT_RW = 3, MAP_SHARED_ANON = 0x21, MAP_PRIVATE_ANON = 0x22, CLONE_NEWNS = 0x20000 };

enum { JOBS = 1024, LIMITS = 16, SOURCES = 256, PAYLOAD_MAX = 16 << 20, WORDS_MAX = 1 << 16, SMALL = 1 << 16 };
enum { FROM_CHDIR = 1000, FROM_INIT = 2000 };

struct request { uint32_t len, id; uint8_t op, pad[3]; };
struct reply { uint32_t id; int32_t status; };
struct iovec { void *base; size_t len; };
struct msghdr { void *name; uint32_t namelen; struct iovec *iov; size_t iovlen; void *control;
  size_t controllen; uint32_t flags; };
struct cmsghdr { size_t len; int32_t level, type; };
struct pollfd { int32_t fd; int16_t events, revents; };
struct rlimit64 { uint64_t cur, max; };
struct program { uint16_t steps; void *first; }; /* struct sock_fprog; a step is 8 bytes */
struct statx_head { uint32_t mask, blksize; uint64_t attributes; uint32_t nlink, uid, gid;
  uint16_t mode, pad; uint8_t rest[256 - 32]; };

static struct { int32_t pid; uint32_t id; } jobs[JOBS];
static int32_t *verdicts; /* shared with children: why a program was never executed, by job */
static struct rlimit64 limits[LIMITS];
static uint8_t limited[LIMITS];
static uint64_t job_uid; /* 0: jobs run as PID 1 does */
static int ctl;
static char small[SMALL], scratch[SMALL];

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}
static int starts(const char *s, const char *with) {
  while (*with) if (*s++ != *with++) return 0;
  return 1;
}
static const char *number(const char *s, uint64_t *value) {
  uint64_t v = 0;
  while (*s >= '0' && *s <= '9') v = v * 10 + (uint64_t)(*s++ - '0');
  *value = v;
  return s;
}
static void *pages(size_t n, int flags) {
  long r = sys6(N_mmap, 0, (long)n, PROT_RW, flags, -1, 0);
  return r < 0 && r > -4096 ? 0 : (void *)r;
}

/* Every byte or nothing: a stream may hand over any part of what was asked for. */
static int read_all(int fd, void *into, size_t n) {
  for (char *p = into; n;) {
    long r = SYS(read, fd, p, n, 0, 0);
    if (r == -EINTR) continue;
    if (r <= 0) return -1;
    p += r; n -= (size_t)r;
  }
  return 0;
}
static int copy(int in, int out) {
  for (;;) {
    long n = SYS(read, in, scratch, SMALL, 0, 0);
    if (n == -EINTR) continue;
    if (n <= 0) return (int)-n;
    int failed = write_all(out, scratch, (size_t)n);
    if (failed) return failed;
  }
}
static void answer(uint32_t id, int32_t status) {
  struct reply r = {id, status};
  const char *p = (const char *)&r;
  for (size_t left = sizeof r; left;) {
    long n = sys6(N_sendto, ctl, (long)p, (long)left, MSG_NOSIGNAL, 0, 0);
    if (n == -EINTR) continue;
    if (n <= 0) leave(0);
    p += n; left -= (size_t)n;
  }
}

static int kind(int fd) {
  struct statx_head st;
  long r = SYS(statx, fd, "", AT_EMPTY_PATH, 3, &st);
  return r < 0 ? (int)r : st.mode & S_IFMT;
}
/* Opened without blocking and then looked at, so that a FIFO or device is refused, never waited for. */
static int regular(int fd) {
  int k = kind(fd);
  return k < 0 ? -k : k == S_IFDIR ? EISDIR : k == S_IFREG ? 0 : EPERM;
}
static int send_file(const char *path) {
  int fd = open_at(path, O_NONBLOCK, 0);
  if (fd < 0) return -fd;
  int refused = regular(fd);
  return refused ? refused : copy(fd, 1);
}
static int take_file(char *path) {
  for (char *s = path + 1; path[0] && *s; s++)
    if (*s == '/') { *s = 0; SYS(mkdirat, AT_FDCWD, path, 0755, 0, 0); *s = '/'; }
  int fd = open_at(path, O_WRONLY | O_CREAT | O_NONBLOCK, 0644);
  if (fd < 0) return -fd;
  int refused = regular(fd);
  if (refused) return refused;
  long r = SYS(ftruncate, fd, 0, 0, 0, 0);
  if (r < 0) return (int)-r;
  int failed = copy(0, fd);
  r = SYS(close, fd, 0, 0, 0, 0);
  return failed ? failed : (int)-r;
}

/* execvpe of POSIX: PATH is the job's own; a file without an interpreter line goes to sh. */
static int execute(const char *file, char **argv, char **envp) {
  long r = SYS(execve, file, argv, envp, 0, 0);
  if (r != -ENOEXEC) return (int)-r;
  size_t n = 0; while (argv[n]) n++;
  char **shell = pages((n + 3) * sizeof *shell, MAP_PRIVATE_ANON);
  if (!shell) return ENOMEM;
  shell[0] = "sh"; shell[1] = (char *)file;
  for (size_t i = 1; i < n; i++) shell[i + 1] = argv[i];
  return (int)-SYS(execve, "/bin/sh", shell, envp, 0, 0);
}
static int search(char **argv, char **envp) {
  const char *name = argv[0], *path = "/usr/local/bin:/usr/bin:/bin";
  if (!*name) return ENOENT;
  for (const char *s = name; *s; s++) if (*s == '/') return execute(name, argv, envp);
  for (char **e = envp; *e; e++) if (starts(*e, "PATH=")) path = *e + 5;
  int worst = ENOENT;
  for (size_t n = length(name);; path++) {
    size_t dir = 0; while (path[dir] && path[dir] != ':') dir++;
    if (dir + n + 2 > SMALL) return ENAMETOOLONG;
    memcpy(scratch, path, dir);
    if (dir) scratch[dir++] = '/';
    memcpy(scratch + dir, name, n + 1);
    int e = execute(scratch, argv, envp);
    if (e == EACCES) worst = e;
    else if (e != ENOENT && e != ENOTDIR) return e;
    while (*path && *path != ':') path++;
    if (!*path) return worst;
  }
}
/* Cuts count strings out of [p, end); 0 if they do not all end inside. */
static char *cut(char *p, char *end, uint32_t count, char **into) {
  for (uint32_t i = 0; i < count; i++) {
    into[i] = p;
    while (p < end && *p) p++;
    if (p++ >= end) return 0;
  }
  into[count] = 0;
  return p;
}
static int run(char *payload, uint32_t len) {
  char *end = payload + len, *p = payload; uint32_t argc, envc;
  while (p < end && *p) p++;
  if (end - p < 9) return FROM_INIT + EINVAL;
  p++;
  memcpy(&argc, p, 4); memcpy(&envc, p + 4, 4); p += 8;
  if (!argc) return FROM_INIT + EINVAL;
  if (argc > WORDS_MAX || envc > WORDS_MAX) return E2BIG;
  char **argv = pages((argc + envc + 2) * sizeof *argv, MAP_PRIVATE_ANON);
  if (!argv) return FROM_INIT + ENOMEM;
  char **envp = argv + argc + 1;
  p = cut(p, end, argc, argv);
  if (!p || !cut(p, end, envc, envp)) return FROM_INIT + EINVAL;
  long r = SYS(chdir, payload, 0, 0, 0, 0);
  return r < 0 ? FROM_CHDIR + (int)-r : search(argv, envp);
}
/* Not even what a job could gain by executing is left; 0 once it is so. */
static long become_job(void) {
  if (!job_uid) return 0;
  for (int cap = 0; !SYS(prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);) cap++;
  long r = SYS(setgroups, 0, 0, 0, 0, 0);
  if (!r) r = SYS(setresgid, job_uid, job_uid, job_uid, 0, 0);
  return r ? r : SYS(setresuid, job_uid, job_uid, job_uid, 0, 0);
}
static _Noreturn void child(int slot, uint8_t op, char *payload, uint32_t len, const int *fds) {
  /* A file that grows too large is an error of the file operation, not the end of its process. */
  uint64_t held = op == 'E' ? 0 : 1ull << (SIGXFSZ - 1);
  SYS(setsid, 0, 0, 0, 0, 0);
  SYS(rt_sigprocmask, SIG_SETMASK, &held, 0, 8, 0);
  for (int i = 0; i < 3; i++) SYS(dup3, fds[i], i, 0, 0, 0);
  SYS(close_range, 3, ~0u, 0, 0, 0);
  for (int i = 0; i < LIMITS; i++) if (limited[i]) SYS(prlimit64, 0, i, &limits[i], 0, 0);
  long kept = become_job();
  if (kept) { verdicts[slot] = FROM_INIT - (int)kept; leave(127); }
  if (op == 'E') { verdicts[slot] = run(payload, len); leave(127); }
  verdicts[slot] = op == 'R' ? send_file(payload) : op == 'W' ? take_file(payload) : EINVAL;
  leave(verdicts[slot] ? 1 : 0);
}

static void reap(void) {
  for (int status;;) {
    long pid = SYS(wait4, -1, &status, WNOHANG, 0, 0);
    if (pid <= 0) return;
    for (int i = 0; i < JOBS; i++) {
      if (jobs[i].pid != pid) continue;
      int code = status & 127 ? 128 + (status & 127) : status >> 8 & 255;
      answer(jobs[i].id, verdicts[i] ? -verdicts[i] : code);
      jobs[i].pid = 0;
      break;
    }
  }
}
static void start(struct request *r, char *payload, const int *fds) {
  int slot = 0;
  while (slot < JOBS && jobs[slot].pid) slot++;
  if (slot == JOBS || fds[0] < 0 || fds[1] < 0 || fds[2] < 0) {
    answer(r->id, -FROM_INIT - (slot == JOBS ? EAGAIN : EINVAL));
    return;
  }
  verdicts[slot] = 0;
  long pid = sys6(N_clone, SIGCHLD, 0, 0, 0, 0, 0);
  if (!pid) child(slot, r->op, payload, r->len, fds);
  if (pid < 0) { answer(r->id, (int32_t)(-FROM_INIT + pid)); return; }
  jobs[slot].pid = (int32_t)pid; jobs[slot].id = r->id;
}
/* By number too: the job may not have become the leader of its group yet. */
static void stop(uint32_t id) {
  for (int i = 0; i < JOBS; i++)
    if (jobs[i].pid && jobs[i].id == id) {
      SYS(kill, jobs[i].pid, SIGKILL, 0, 0, 0);
      SYS(kill, -jobs[i].pid, SIGKILL, 0, 0, 0);
    }
}
static void receive(void) {
  struct request r; int fds[3] = {-1, -1, -1};
  union { struct cmsghdr head; char space[32]; } control;
  struct iovec io = {&r, sizeof r};
  struct msghdr m = {0, 0, &io, 1, &control, sizeof control.head + sizeof fds, 0}; /* more are dropped */
  long got;
  do got = SYS(recvmsg, ctl, &m, MSG_CMSG_CLOEXEC, 0, 0); while (got == -EINTR);
  if (got <= 0) leave(0);
  if (m.controllen >= sizeof control.head && control.head.level == SOL_SOCKET && control.head.type == SCM_RIGHTS)
    memcpy(fds, control.space + sizeof control.head, control.head.len - sizeof control.head);
  if (read_all(ctl, (char *)&r + got, sizeof r - (size_t)got)) leave(0);
  if (r.len > PAYLOAD_MAX) leave(0);
  char *payload = r.len < SMALL ? small : pages(r.len + 1, MAP_PRIVATE_ANON);
  if (!payload || read_all(ctl, payload, r.len)) leave(0);
  payload[r.len] = 0;
  if (r.op == 'K') stop(r.id);
  else if (r.op == 'A') SYS(kill, -1, SIGKILL, 0, 0, 0);
  else start(&r, payload, fds);
  for (int i = 0; i < 3; i++) if (fds[i] >= 0) SYS(close, fds[i], 0, 0, 0, 0);
  if (payload != small) SYS(munmap, payload, r.len + 1, 0, 0, 0);
}
static void filter(const char *path) {
  int fd = open_at(path, 0, 0);
  size_t n = 0;
  for (long r = 1; fd >= 0 && r > 0 && n < SMALL; n += (size_t)r) {
    r = SYS(read, fd, small + n, SMALL - n, 0, 0);
    if (r < 0) leave(2);
  }
  struct program p = {(uint16_t)(n / 8), small};
  if (!n || n % 8 || SYS(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) leave(2);
  if (SYS(prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0)) leave(2);
  SYS(close, fd, 0, 0, 0, 0);
}
static void word(const char *s) {
  uint64_t resource, bound;
  if (starts(s, "filter=")) { filter(s + 7); return; }
  if (starts(s, "as=")) { number(s + 3, &job_uid); return; }
  s = number(s, &resource);
  if (*s != '=' || resource >= LIMITS) leave(2);
  number(s + 1, &bound);
  limits[resource].cur = limits[resource].max = bound; limited[resource] = 1;
}
static _Noreturn void init(int argc, char **argv) {
  uint64_t v, mask = 1ull << (SIGCHLD - 1);
  number(argv[2], &v); ctl = 3;
  if (v != 3) SYS(dup3, v, ctl, O_CLOEXEC, 0, 0);
  SYS(fcntl, ctl, F_SETFD, FD_CLOEXEC, 0, 0);
  SYS(close_range, ctl + 1, ~0u, 0, 0, 0);
  for (int i = 3; i < argc; i++) word(argv[i]);
  int oom = open_at("/proc/self/oom_score_adj", O_WRONLY, 0); /* inherited: boxes end before the host's own */
  if (oom >= 0) { write_all(oom, "1000", 4); SYS(close, oom, 0, 0, 0, 0); }
  SYS(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  SYS(rt_sigprocmask, SIG_SETMASK, &mask, 0, 8, 0);
  int deaths = (int)SYS(signalfd4, -1, &mask, 8, O_CLOEXEC | O_NONBLOCK, 0);
  verdicts = pages(JOBS * sizeof *verdicts, MAP_SHARED_ANON);
  if (deaths < 0 || !verdicts) leave(2);
  answer(0, 0);
  for (struct pollfd p[2];;) {
    p[0] = (struct pollfd){ctl, POLLIN, 0}; p[1] = (struct pollfd){deaths, POLLIN, 0};
    if (SYS(ppoll, p, 2, 0, 0, 8) < 0) continue;
    if (p[1].revents) {
      char seen[128];
      while (SYS(read, deaths, seen, sizeof seen, 0, 0) > 0) {}
      reap();
    }
    if (p[0].revents) receive();
  }
}

static _Noreturn void give_up(const char *what, const char *which, long error) {
  char digits[4] = "000"; long e = -error;
  for (int i = 2; i >= 0; i--, e /= 10) digits[i] = (char)('0' + e % 10);
  write_all(2, "sbxinit stage: ", 15); write_all(2, what, length(what)); write_all(2, " ", 1);
  write_all(2, which, length(which)); write_all(2, ": errno ", 8); write_all(2, digits, 3); write_all(2, "\n", 1);
  leave(71);
}
static void must(long r, const char *what, const char *which) { if (r < 0) give_up(what, which, r); }
static const char *through(int fd) {
  static char path[32] = "/proc/self/fd/";
  char digits[12]; int n = 0, at = 14;
  do digits[n++] = (char)('0' + fd % 10); while (fd /= 10);
  while (n) path[at++] = digits[--n];
  path[at] = 0;
  return path;
}
/* Sources are opened as root, in the new namespace and before DIR is covered, then bound through the
 * descriptor: a source that the box's user cannot reach, or that lies under DIR, works as any other. */
static void lay_out(char **op, char **last, const char *dir) {
  static int sources[SOURCES]; int opened = 0, bound = 0;
  for (char **o = op; o < last; o += 3)
    if (same(*o, "bind")) {
      if (opened == SOURCES) give_up("open", o[1], -E2BIG);
      must(sources[opened++] = open_at(o[1], O_PATH, 0), "open", o[1]);
    }
  must(SYS(mount, "tmpfs", dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m"), "mount", dir);
  must(SYS(chdir, dir, 0, 0, 0, 0), "enter", dir);
  for (; op < last; op += 3) {
    int is_bind = same(*op, "bind");
    const char *name = op[2];
    if (is_bind && kind(sources[bound]) != S_IFDIR) must(open_at(name, O_WRONLY | O_CREAT, 0444), "create", name);
    else must(SYS(mkdirat, AT_FDCWD, name, 0755, 0, 0), "create", name);
    if (is_bind) must(SYS(mount, through(sources[bound++]), name, 0, MS_BIND | MS_REC, 0), "bind", op[1]);
    else must(SYS(mount, "tmpfs", name, "tmpfs", MS_NOSUID | MS_NODEV, op[1]), "mount", name);
  }
}
static _Noreturn void stage(int argc, char **argv, char **envp) {
  int end = 4; uint64_t uid;
  while (end < argc && !same(argv[end], "--")) end++;
  if (end + 1 >= argc) leave(64);
  number(argv[2], &uid);
  must(SYS(unshare, CLONE_NEWNS, 0, 0, 0, 0), "unshare", "mount namespace");
  must(SYS(mount, 0, "/", 0, MS_REC | MS_PRIVATE, 0), "make private", "/");
  lay_out(argv + 4, argv + end, argv[3]);
  must(SYS(setgroups, 0, 0, 0, 0, 0), "drop", "groups");
  must(SYS(setresgid, uid, uid, uid, 0, 0), "become", argv[2]);
  must(SYS(setresuid, uid, uid, uid, 0, 0), "become", argv[2]);
  must(SYS(chdir, "/", 0, 0, 0, 0), "enter", "/");
  must(SYS(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "tie to", "parent");
  give_up("execute", argv[end + 1], SYS(execve, argv[end + 1], argv + end + 1, envp, 0, 0));
}

static _Noreturn void tied(char **argv, char **envp) {
  must(SYS(prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "tie to", "parent");
  give_up("execute", argv[2], SYS(execve, argv[2], argv + 2, envp, 0, 0));
}

__attribute__((used)) _Noreturn void entry(long *sp) {
  int argc = (int)*sp; char **argv = (char **)(sp + 1), **envp = argv + argc + 1;
  if (argc >= 3 && same(argv[1], "init")) init(argc, argv);
  if (argc >= 6 && same(argv[1], "stage")) stage(argc, argv, envp);
  if (argc >= 3 && same(argv[1], "tied")) tied(argv, envp);
  leave(64);
}
