/*
 * A disk that fails to make anything durable: while the file that CONCORDAT_FAILING_SYNC names exists, fsync and fdatasync of this
 * process end with EIO, as they do when a device goes away under a file system. What was written stands in the page cache, as there.
 * For tests: cc -shared -fPIC -o failing-sync.so failing-sync.c -ldl, then LD_PRELOAD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
  const char *path = getenv("CONCORDAT_FAILING_SYNC");
  return path != NULL && access(path, F_OK) == 0;
}

typedef int sync_of(int);

static int run(const char *name, int fd) {
  if (fails()) {
    errno = EIO;
    return -1;
  }
  return ((sync_of *)dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return run("fsync", fd); }
int fdatasync(int fd) { return run("fdatasync", fd); }
