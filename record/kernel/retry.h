/* TEMP_FAILURE_RETRY, which other C libraries than glibc do not have: makes a system call again
 * while a signal interrupts it. */
#ifndef MPROF_RECORD_KERNEL_RETRY_H
#define MPROF_RECORD_KERNEL_RETRY_H

#include <errno.h>
#include <unistd.h>

#ifndef TEMP_FAILURE_RETRY
#define TEMP_FAILURE_RETRY(call)                                                                   \
    __extension__({                                                                                \
        long result_;                                                                              \
        do {                                                                                       \
            result_ = (long)(call);                                                                \
        } while (result_ == -1 && errno == EINTR);                                                 \
        result_;                                                                                   \
    })
#endif

#endif
