/* A file system between SQLite and the disk that remembers, fails and kills, for the store's tests.
 *
 * Loaded into a process of its own, it becomes SQLite's default VFS. Every write, sync, truncation and
 * deletion goes on to the real one. On the way it can be appended to a record, from which a test builds
 * what a disk may hold after a power cut (`power.py`), and the n-th operation of a kind can fail like a
 * full or broken disk, or kill the process with SIGKILL: before it, after half of it, after it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, TRUNCATE = 4, DELETE = 8 };
enum { FULL = 1, BROKEN = 2, KILL_BEFORE = 3, KILL_HALFWAY = 4, KILL_AFTER = 5 };

typedef struct {
  sqlite3_file base;
  int number; /* in the record; -1 for a file without a name, which no restart would find */
  sqlite3_file *real;
} File;

static sqlite3_vfs *below, shim;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards all that follows */
static int record = -1, files, armed, how, failed;
static long left, counts[16];

/* One entry of the record: kind, a number (offset, size, mark), length, file, then the bytes. */
static void note(char kind, int number, int64_t place, const void *bytes, int32_t length) {
  char head[17];
  int32_t file = number;
  if (record < 0 || number < 0) return;
  head[0] = kind;
  memcpy(head + 1, &place, 8);
  memcpy(head + 9, &length, 4);
  memcpy(head + 13, &file, 4);
  if (write(record, head, 17) != 17 || write(record, bytes, length) != length) raise(SIGABRT);
}

/* What is to happen to this operation; the mutex is held. */
static int fate(int kind) {
  counts[kind]++;
  if (!(armed & kind) || --left > 0) return 0;
  if (how == KILL_BEFORE) raise(SIGKILL);
  failed++;
  if (how == FULL || how == BROKEN) armed = 0;
  return how;
}

static int error_of(int kind) {
  if (how == FULL && kind == WRITE) return SQLITE_FULL;
  return kind == WRITE ? SQLITE_IOERR_WRITE : kind == SYNC ? SQLITE_IOERR_FSYNC
       : kind == TRUNCATE ? SQLITE_IOERR_TRUNCATE : SQLITE_IOERR_DELETE;
}

#define REAL(f) (((File *)(f))->real)
#define NUMBER(f) (((File *)(f))->number)

static int close_(sqlite3_file *f) { return REAL(f)->pMethods->xClose(REAL(f)); }
static int read_(sqlite3_file *f, void *b, int n, sqlite3_int64 at) {
  return REAL(f)->pMethods->xRead(REAL(f), b, n, at);
}

static int write_(sqlite3_file *f, const void *bytes, int length, sqlite3_int64 at) {
  int answer, what;
  pthread_mutex_lock(&mutex);
  what = fate(WRITE);
  if (what == FULL || what == BROKEN) {
    answer = error_of(WRITE);
  } else if (what == KILL_HALFWAY) {
    REAL(f)->pMethods->xWrite(REAL(f), bytes, length / 2, at);
    raise(SIGKILL);
    answer = SQLITE_IOERR;
  } else {
    note('W', NUMBER(f), at, bytes, length);
    answer = REAL(f)->pMethods->xWrite(REAL(f), bytes, length, at);
    if (what == KILL_AFTER) raise(SIGKILL);
  }
  pthread_mutex_unlock(&mutex);
  return answer;
}

static int truncate_(sqlite3_file *f, sqlite3_int64 size) {
  int answer, what;
  pthread_mutex_lock(&mutex);
  what = fate(TRUNCATE);
  if (what == FULL || what == BROKEN) {
    answer = error_of(TRUNCATE);
  } else {
    note('T', NUMBER(f), size, "", 0);
    answer = REAL(f)->pMethods->xTruncate(REAL(f), size);
    if (what) raise(SIGKILL);
  }
  pthread_mutex_unlock(&mutex);
  return answer;
}

static int sync_(sqlite3_file *f, int flags) {
  int answer, what;
  pthread_mutex_lock(&mutex);
  what = fate(SYNC);
  if (what == FULL || what == BROKEN) {
    answer = error_of(SYNC);
  } else {
    answer = REAL(f)->pMethods->xSync(REAL(f), flags);
    note('S', NUMBER(f), 0, "", 0);
    if (what) raise(SIGKILL);
  }
  pthread_mutex_unlock(&mutex);
  return answer;
}

static int size_(sqlite3_file *f, sqlite3_int64 *n) {
  return REAL(f)->pMethods->xFileSize(REAL(f), n);
}
static int lock_(sqlite3_file *f, int l) { return REAL(f)->pMethods->xLock(REAL(f), l); }
static int unlock_(sqlite3_file *f, int l) { return REAL(f)->pMethods->xUnlock(REAL(f), l); }
static int reserved_(sqlite3_file *f, int *r) {
  return REAL(f)->pMethods->xCheckReservedLock(REAL(f), r);
}
static int control_(sqlite3_file *f, int op, void *a) {
  return REAL(f)->pMethods->xFileControl(REAL(f), op, a);
}
static int sector_(sqlite3_file *f) { return REAL(f)->pMethods->xSectorSize(REAL(f)); }
static int device_(sqlite3_file *f) { return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f)); }
static int map_(sqlite3_file *f, int p, int n, int x, void volatile **a) {
  return REAL(f)->pMethods->xShmMap(REAL(f), p, n, x, a);
}
static int shmlock_(sqlite3_file *f, int o, int n, int l) {
  return REAL(f)->pMethods->xShmLock(REAL(f), o, n, l);
}
static void barrier_(sqlite3_file *f) { REAL(f)->pMethods->xShmBarrier(REAL(f)); }
static int unmap_(sqlite3_file *f, int d) { return REAL(f)->pMethods->xShmUnmap(REAL(f), d); }

static const sqlite3_io_methods methods = {
    2,     close_,    read_,    write_,  truncate_, sync_, size_,    lock_,    unlock_,
    reserved_, control_, sector_, device_, map_,      shmlock_, barrier_, unmap_, 0, 0};

static int open_(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *out) {
  File *file = (File *)f;
  int answer;
  file->real = (sqlite3_file *)(file + 1);
  file->base.pMethods = 0;
  answer = below->xOpen(below, name, file->real, flags, out);
  if (file->real->pMethods) file->base.pMethods = &methods;
  pthread_mutex_lock(&mutex);
  file->number = name && answer == SQLITE_OK ? files++ : -1;
  if (name) note('O', file->number, 0, name, (int32_t)strlen(name));
  pthread_mutex_unlock(&mutex);
  return answer;
}

static int delete_(sqlite3_vfs *v, const char *name, int synced) {
  int answer, what;
  pthread_mutex_lock(&mutex);
  what = fate(DELETE);
  if (what == FULL || what == BROKEN) {
    answer = error_of(DELETE);
  } else {
    note('D', 0, synced, name, (int32_t)strlen(name));
    answer = below->xDelete(below, name, synced);
    if (what) raise(SIGKILL);
  }
  pthread_mutex_unlock(&mutex);
  return answer;
}

/* Put the shim in front of the default VFS; with a path, every operation is appended to that file. */
int shim_begin(const char *path) {
  below = sqlite3_vfs_find(0);
  if (path) record = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  shim = *below;
  shim.zName = "failing-disk";
  shim.szOsFile = (int)sizeof(File) + below->szOsFile;
  shim.xOpen = open_;
  shim.xDelete = delete_;
  return sqlite3_vfs_register(&shim, 1);
}

/* An acknowledgement, in its place between the writes. */
void shim_mark(int64_t number) {
  pthread_mutex_lock(&mutex);
  note('M', 0, number, "", 0);
  pthread_mutex_unlock(&mutex);
}

/* Let the `countdown`-th operation from now on among `kinds` meet its fate. */
void shim_arm(int kinds, long countdown, int fate_) {
  pthread_mutex_lock(&mutex);
  armed = kinds, left = countdown, how = fate_, failed = 0;
  pthread_mutex_unlock(&mutex);
}

/* Operations of a kind so far. */
long shim_count(int kind) { return counts[kind]; }

/* How many operations failed since the last arming. */
int shim_failed(void) { return failed; }
