/* Counts the syncs of whatever program it is loaded into, and lets each take longer. A tracer would do that as well, and
   take more of the processor than the server. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t *count;
static struct timespec longer;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SYNCS_FILE"), *delay = getenv("SYNCS_LONGER_US");
    int file = path ? open(path, O_RDWR) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) count = page;
    if (file >= 0) close(file);
    long us = delay ? atol(delay) : 0;
    longer.tv_sec = us / 1000000;
    longer.tv_nsec = us % 1000000 * 1000;
}

static int after(int result) {
    if (count) __atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);
    if (longer.tv_sec || longer.tv_nsec) nanosleep(&longer, NULL);
    return result;
}

int fdatasync(int file) { return after(((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file)); }
int fsync(int file) { return after(((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file)); }
