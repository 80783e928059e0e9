/* A disk that is watched and that fails: preloaded into a program, it writes down every change below LODE_DISK_ROOT into the
 * file LODE_DISK_LOG, after it was made and before the program hears of it. While the file LODE_DISK_FAULT is there, changes
 * fail as its first letter says: F, the disk is full; E, what is written cannot be synced.
 *
 * One record, little-endian: kind, inode (8), offset or length (8), length of a (4), length of b (4), a, b.
 *   O file a made      W data a written at offset   T cut to length   S synced   D folder a synced
 *   R a renamed to b   U file a removed             M folder a made   X folder a removed   L a linked as b
 * The shared memory of SQLite is left out: it is made anew at each start. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int record_file = -1;
static const char *root;
static const char *fault;

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("LODE_DISK_LOG");
    root = getenv("LODE_DISK_ROOT");
    fault = getenv("LODE_DISK_FAULT");
    if (log) record_file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int below(const char *path) {
    size_t length = strlen(path);
    int shared = length > 4 && strcmp(path + length - 4, "-shm") == 0;
    return root && strncmp(path, root, strlen(root)) == 0 && !shared;
}

/* The file or folder behind a descriptor, if it is watched. */
static int place(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static int absolute(int folder, const char *name, char *path) {
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
    } else {
        char base[PATH_MAX];
        if (folder == AT_FDCWD ? !getcwd(base, sizeof base) : !(place(folder, base), base[0])) return 0;
        if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) return 0;
    }
    return below(path);
}

/* The letter of the fault that is on, or 0. */
static char failing(void) {
    char letter = 0;
    int file = fault ? syscall(SYS_openat, AT_FDCWD, fault, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        if (syscall(SYS_read, file, &letter, 1) != 1) letter = 0;
        syscall(SYS_close, file);
    }
    return letter;
}

static int full(void) {
    if (failing() != 'F') return 0;
    errno = ENOSPC;
    return 1;
}

static void record(char kind, uint64_t inode, uint64_t offset, const void *a, uint32_t a_bytes, const char *b) {
    if (record_file < 0) return;
    int before = errno;
    uint32_t b_bytes = b ? strlen(b) : 0;
    char head[25];
    head[0] = kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &a_bytes, 4);
    memcpy(head + 21, &b_bytes, 4);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)a, a_bytes}, {(void *)b, b_bytes}};
    if (syscall(SYS_writev, record_file, parts, 3) != (long)(sizeof head + a_bytes + b_bytes)) abort();
    errno = before;
}

static void record_name(char kind, uint64_t inode, const char *a, const char *b) {
    record(kind, inode, 0, a, strlen(a), b);
}

static uint64_t inode_of(int file) {
    struct stat about;
    return fstat(file, &about) == 0 ? about.st_ino : 0;
}

static int opened(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    int watched = absolute(folder, name, path);
    int is_new = watched && (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    if (is_new && full()) return -1;
    int file = syscall(SYS_openat, folder, name, flags, mode);
    if (file < 0 || !watched) return file;
    if (is_new) record_name('O', inode_of(file), path, NULL);
    else if (flags & O_TRUNC) record('T', inode_of(file), 0, NULL, 0, NULL);
    return file;
}

#define MODE_OF(flags, last) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, last); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *name, int flags, ...) { MODE_OF(flags, flags) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE_OF(flags, flags) return opened(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE_OF(flags, flags) return opened(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { MODE_OF(flags, flags) return opened(folder, name, flags | O_LARGEFILE, mode); }

static void written(int file, const void *data, ssize_t bytes, off_t offset) {
    char path[PATH_MAX];
    if (bytes > 0 && place(file, path)) record('W', inode_of(file), offset, data, bytes, NULL);
}

static int refused(int file) {
    char path[PATH_MAX];
    return fault && place(file, path) && full();
}

ssize_t write(int file, const void *data, size_t bytes) {
    if (refused(file)) return -1;
    ssize_t done = REAL(write)(file, data, bytes);
    if (done > 0) written(file, data, done, lseek(file, 0, SEEK_CUR) - done);
    return done;
}

ssize_t pwrite64(int file, const void *data, size_t bytes, off_t offset) {
    if (refused(file)) return -1;
    ssize_t done = REAL(pwrite64)(file, data, bytes, offset);
    written(file, data, done, offset);
    return done;
}
ssize_t pwrite(int file, const void *data, size_t bytes, off_t offset) { return pwrite64(file, data, bytes, offset); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    if (refused(file)) return -1;
    ssize_t done = REAL(writev)(file, parts, count);
    char path[PATH_MAX];
    if (done <= 0 || !place(file, path)) return done;
    off_t offset = lseek(file, 0, SEEK_CUR) - done;
    ssize_t left = done;
    for (int part = 0; part < count && left > 0; part++) {
        ssize_t bytes = (ssize_t)parts[part].iov_len < left ? (ssize_t)parts[part].iov_len : left;
        written(file, parts[part].iov_base, bytes, offset);
        offset += bytes;
        left -= bytes;
    }
    return done;
}

int ftruncate64(int file, off_t length) {
    int done = REAL(ftruncate64)(file, length);
    char path[PATH_MAX];
    if (done == 0 && place(file, path)) record('T', inode_of(file), length, NULL, 0, NULL);
    return done;
}
int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

static int synced(int file, int (*real)(int)) {
    char path[PATH_MAX];
    struct stat about;
    int watched = place(file, path);
    if (watched && failing() == 'E') {
        errno = EIO;
        return -1;
    }
    int done = real(file);
    if (done != 0 || !watched || fstat(file, &about) != 0) return done;
    if (S_ISDIR(about.st_mode)) record_name('D', 0, path, NULL);
    else record('S', about.st_ino, 0, NULL, 0, NULL);
    return done;
}
int fsync(int file) { return synced(file, REAL(fsync)); }
int fdatasync(int file) { return synced(file, REAL(fdatasync)); }

static int renamed(int from, const char *old, int to, const char *new, unsigned flags) {
    char a[PATH_MAX], b[PATH_MAX];
    int watched = absolute(from, old, a) | absolute(to, new, b);
    int done = syscall(SYS_renameat2, from, old, to, new, flags);
    if (done == 0 && watched) record_name('R', 0, a, b);
    return done;
}
int rename(const char *old, const char *new) { return renamed(AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int from, const char *old, int to, const char *new) { return renamed(from, old, to, new, 0); }
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) { return renamed(from, old, to, new, flags); }

static int gone(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    int watched = absolute(folder, name, path);
    int done = syscall(SYS_unlinkat, folder, name, flags);
    if (done == 0 && watched) record_name(flags & AT_REMOVEDIR ? 'X' : 'U', 0, path, NULL);
    return done;
}
int unlink(const char *name) { return gone(AT_FDCWD, name, 0); }
int unlinkat(int folder, const char *name, int flags) { return gone(folder, name, flags); }
int rmdir(const char *name) { return gone(AT_FDCWD, name, AT_REMOVEDIR); }

static int made(int folder, const char *name, mode_t mode) {
    char path[PATH_MAX];
    int watched = absolute(folder, name, path);
    if (watched && full()) return -1;
    int done = syscall(SYS_mkdirat, folder, name, mode);
    if (done == 0 && watched) record_name('M', 0, path, NULL);
    return done;
}
int mkdir(const char *name, mode_t mode) { return made(AT_FDCWD, name, mode); }
int mkdirat(int folder, const char *name, mode_t mode) { return made(folder, name, mode); }

static int linked(int from, const char *old, int to, const char *new, int flags) {
    char a[PATH_MAX], b[PATH_MAX];
    int watched = absolute(from, old, a) & absolute(to, new, b);
    int done = syscall(SYS_linkat, from, old, to, new, flags);
    if (done == 0 && watched) record_name('L', 0, a, b);
    return done;
}
int link(const char *old, const char *new) { return linked(AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) { return linked(from, old, to, new, flags); }
