/* Records the marks of <mprof/mark.h> with the agent's spans, lanes and ring, in any program. A
 * lock replaces Python's GIL. Loaded on demand; in a Python process its ring is separate from the
 * agent's. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "execution_context.h"
#include "span.h"
#include "wire.h"

#define SHOWN __attribute__((visibility("default")))

typedef struct mprof_mark {
    mprof__span span;
    struct mprof_mark *next; /* in the list of spare marks */
} mprof_mark;

SHOWN mprof_mark *mprof_mark_enter(const char *name);
SHOWN void mprof_mark_leave(mprof_mark *mark);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static mprof_mark *spare;
static pthread_key_t at_exit;
static uint32_t image = 1; /* counts forks */

/* Of one thread; freed at the end of the thread unless open marks point at it. */
typedef struct thread_lane {
    mprof__lane lane;
    uint32_t image;
} thread_lane;

static __thread thread_lane *here;

static void thread_exited(void *value)
{
    thread_lane *thread = value;

    pthread_mutex_lock(&lock);
    if (thread->lane.slot && thread->image == image) {
        mprof__lane_slot_release(thread->lane.slot);
        thread->lane.slot = NULL;
    }
    if (thread->lane.open == 0 || thread->image != image) {
        free(thread);
    }
    pthread_mutex_unlock(&lock);
}

mprof__lane *mprof__context_lane(void)
{
    if (!here) {
        here = calloc(1, sizeof *here);
        if (!here) {
            return NULL;
        }
        here->image = image;
        pthread_setspecific(at_exit, here);
    }
    if (!here->lane.slot && syscall(SYS_gettid) != getpid()) {
        here->lane.slot = mprof__lane_slot_claim(MPROF_LANE_THREAD, NULL);
    }
    return &here->lane;
}

void mprof__context_forked(void)
{
    pthread_mutex_init(&lock, NULL);
    image++;
    spare = NULL;
    if (here) {
        here->lane = (mprof__lane){0};
        here->image = image;
    }
}

static void set_up(void)
{
    const char *directory = getenv(MPROF_WIRE_ENV_RINGS);

    pthread_key_create(&at_exit, thread_exited);
    if (directory && *directory == '/') {
        mprof__span_setup(directory, 0);
        mprof__span_expect_calls();
    }
}

mprof_mark *mprof_mark_enter(const char *name)
{
    pthread_once(&once, set_up);
    pthread_mutex_lock(&lock);
    mprof_mark *mark = spare;
    if (mark) {
        spare = mark->next;
    } else {
        mark = malloc(sizeof *mark);
    }
    mprof__name *interned = mark ? mprof__name_intern(name, strlen(name)) : NULL;
    if (interned) {
        mprof__span_begin(&mark->span, interned);
    } else {
        free(mark);
        mark = NULL;
    }
    pthread_mutex_unlock(&lock);
    return mark;
}

void mprof_mark_leave(mprof_mark *mark)
{
    pthread_mutex_lock(&lock);
    mprof__span_end(&mark->span, false);
    mark->next = spare;
    spare = mark;
    pthread_mutex_unlock(&lock);
}
