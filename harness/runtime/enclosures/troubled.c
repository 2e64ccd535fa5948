/* Storage that is slow, or fails now and then: between a node's programs and their files.
 *
 *   program ── write(2) as the C library has it ── here: wait, or EIO ── the C library's own ── file
 *
 * STORAGE_TROUBLE names a file that holds a `struct trouble`. It is looked at for every call, so that trouble begins and
 * ends at once for programs that run. STORAGE_PLACES are the folders that it is for, with a colon between them. While
 * there is no trouble a call costs one look at memory.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Of 2^32 calls so many fail; each takes so many microseconds longer. */
struct trouble {
    uint32_t failing;
    uint32_t longer_us;
};

static const struct trouble none;
static const volatile struct trouble *trouble = &none;
static const char *places;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("STORAGE_TROUBLE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *seen = mmap(NULL, sizeof *trouble, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    const char *told = getenv("STORAGE_PLACES");
    places = told ? strdup(told) : NULL; /* PostgreSQL writes its title over its environment */
    if (seen != MAP_FAILED && places)
        trouble = seen;
}

static int inside(const char *path, size_t length)
{
    for (const char *place = places; *place;) {
        size_t end = strcspn(place, ":");
        if (length > end && !strncmp(path, place, end) && path[end] == '/')
            return 1;
        place += end + (place[end] == ':');
    }
    return 0;
}

static int on_storage(int descriptor)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 0 && inside(path, (size_t)length);
}

/* Whether the call is to fail; errno is then set. */
static int fails(int descriptor)
{
    uint32_t failing = trouble->failing, longer_us = trouble->longer_us, drawn = UINT32_MAX;
    int before = errno;
    if ((!failing && !longer_us) || !on_storage(descriptor)) {
        errno = before;
        return 0;
    }
    struct timespec rest = {longer_us / 1000000, longer_us % 1000000 * 1000L};
    while (longer_us && nanosleep(&rest, &rest) && errno == EINTR)
        ;
    if (failing && getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) == sizeof drawn && drawn < failing) {
        errno = EIO;
        return 1;
    }
    errno = before;
    return 0;
}

#define TROUBLED(result, name, parameters, arguments)                                                                  \
    result name parameters                                                                                             \
    {                                                                                                                  \
        static result(*own) parameters;                                                                                \
        if (!own)                                                                                                      \
            own = (result(*) parameters)dlsym(RTLD_NEXT, #name);                                                       \
        return fails(descriptor) ? -1 : own arguments;                                                                 \
    }

TROUBLED(ssize_t, read, (int descriptor, void *to, size_t count), (descriptor, to, count))
TROUBLED(ssize_t, pread, (int descriptor, void *to, size_t count, off_t at), (descriptor, to, count, at))
TROUBLED(ssize_t, pread64, (int descriptor, void *to, size_t count, off64_t at), (descriptor, to, count, at))
TROUBLED(ssize_t, readv, (int descriptor, const struct iovec *to, int count), (descriptor, to, count))
TROUBLED(ssize_t, preadv, (int descriptor, const struct iovec *to, int count, off_t at), (descriptor, to, count, at))
TROUBLED(ssize_t, preadv64, (int descriptor, const struct iovec *to, int count, off64_t at),
         (descriptor, to, count, at))
TROUBLED(ssize_t, write, (int descriptor, const void *from, size_t count), (descriptor, from, count))
TROUBLED(ssize_t, pwrite, (int descriptor, const void *from, size_t count, off_t at), (descriptor, from, count, at))
TROUBLED(ssize_t, pwrite64, (int descriptor, const void *from, size_t count, off64_t at), (descriptor, from, count, at))
TROUBLED(ssize_t, writev, (int descriptor, const struct iovec *from, int count), (descriptor, from, count))
TROUBLED(ssize_t, pwritev, (int descriptor, const struct iovec *from, int count, off_t at),
         (descriptor, from, count, at))
TROUBLED(ssize_t, pwritev64, (int descriptor, const struct iovec *from, int count, off64_t at),
         (descriptor, from, count, at))
TROUBLED(int, fsync, (int descriptor), (descriptor))
TROUBLED(int, fdatasync, (int descriptor), (descriptor))
