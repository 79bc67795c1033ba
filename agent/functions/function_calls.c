/* See function_calls.h. Each lane has a stack of its calls. */
#include "function_calls.h"

#include <stdlib.h>

#include "agent/events/execution_context.h"

typedef struct function_call {
    mprof__span span;
    const void *code;            /* borrowed */
    struct function_call *below; /* in its lane, or in the list of spare calls */
} function_call;

static function_call *spare;

void mprof__function_call_begin(PyObject *code, mprof__name *name)
{
    function_call *call = spare;
    if (call) {
        spare = call->below;
    } else if (!(call = malloc(sizeof *call))) {
        return;
    }
    mprof__span_begin(&call->span, name);
    mprof__lane *lane = call->span.lane;
    if (!lane) {
        call->below = spare;
        spare = call;
        return;
    }
    call->code = code;
    call->below = lane->top;
    lane->top = call;
}

void mprof__function_call_end(PyObject *code, bool by_exception)
{
    mprof__lane *lane = mprof__context_lane();
    function_call *found = lane ? lane->top : NULL;

    while (found && found->code != code) {
        found = found->below;
    }
    while (found) {
        function_call *call = lane->top;
        bool is_last = call == found;
        lane->top = call->below;
        mprof__span_end(&call->span, by_exception); /* may free the lane after its last call */
        call->below = spare;
        spare = call;
        if (is_last) {
            break;
        }
    }
}
