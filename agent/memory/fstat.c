/* Before glibc 2.33 libc has no function of this name, only headers that make it another one. What
 * of libmprof is linked into an object for any Python finds it here. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int fstat(int file, struct stat *status)
{
    return (int)syscall(SYS_fstat, file, status);
}
