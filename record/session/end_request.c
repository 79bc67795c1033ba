/* The recorder dies of a signal if the program ended because of it, as a shell expects. */
#include "end_request.h"

#include "record/terminal/signals.h"

#include <stdbool.h>
#include <sys/wait.h>

/* A program that lives this much longer has ignored the request. */
#define GRACE_NS INT64_C(60000000000)

bool mprof__end_request_note_signal(mprof__end_request *request,
                                    const struct signalfd_siginfo *info,
                                    const mprof__target *target, int64_t now_ns)
{
    int number = (int)info->ssi_signo;

    if (!mprof__signal_ends(number)) {
        return false;
    }
    request->number = number;
    request->is_alone = !mprof__target_is_live_child(target);
    request->is_by_terminal = mprof__signal_is_of_terminal(info);
    request->time_ns = now_ns;
    return true;
}

/* A program that was signalled by its terminal (an interactive interpreter) may ignore that. So may
 * one that lived on. */
int mprof__end_request_final_signal(const mprof__end_request *request, const mprof__target *target,
                                    int64_t now_ns)
{
    bool died_of_it = target->has_ended && WIFSIGNALED(target->wait_status) &&
                      WTERMSIG(target->wait_status) == request->number;

    if (request->number == 0 || !target->is_child || request->is_alone || died_of_it) {
        return request->number;
    }
    return request->is_by_terminal || now_ns - request->time_ns > GRACE_NS ? 0 : request->number;
}
