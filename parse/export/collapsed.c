/* --to collapsed: a line for each stack, its functions joined by semicolons, and what it weighs:
 * microseconds, or with --by growth bytes. For flamegraph.pl, inferno, speedscope and others. */
#include "stack_tree.h"

#include "parse/plain_text.h"

#include <stdlib.h>
#include <string.h>

static mprof_status fail_memory(const mprof__export_out *out)
{
    return mprof_error_set(out->error, MPROF_ENOMEM, "out of memory");
}

static mprof_status begin(mprof__export_out *out)
{
    out->state = calloc(1, sizeof(mprof__stack_tree));
    return out->state ? MPROF_OK : fail_memory(out);
}

static mprof_status enter(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    return mprof__stack_tree_enter(out->state, out, run, call) == 0 ? MPROF_OK : fail_memory(out);
}

static mprof_status stack(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_stack *stack)
{
    return mprof__stack_tree_add_samples(out->state, out, run, stack) == 0 ? MPROF_OK
                                                                           : fail_memory(out);
}

static mprof_status growth(mprof__export_out *out, const mprof__export_run *run,
                           const mprof_call_tree *tree)
{
    return mprof__stack_tree_add_growth(out->state, out, run, tree) == 0 ? MPROF_OK
                                                                         : fail_memory(out);
}

static mprof_status leave(mprof__export_out *out, const mprof__export_run *run,
                          const mprof__export_call *call)
{
    (void)run;
    mprof__stack_tree_leave(out->state, call);
    return MPROF_OK;
}

/* A semicolon would begin another frame. */
static void write_name(FILE *stream, const char *name)
{
    size_t left = strlen(name), size;
    for (; left > 0; name += size, left -= size) {
        uint32_t code = mprof__text_decode(name, left, &size);
        if (code == ';') {
            putc(':', stream);
        } else if (mprof__text_is_unsafe(code)) {
            fputs("\xef\xbf\xbd", stream);
        } else {
            fwrite(name, 1, size, stream);
        }
    }
}

/* The outermost frame first. stack: room for all nodes. */
static void write_stack(FILE *stream, const mprof__stack_tree *tree, size_t node, uint32_t *stack)
{
    size_t count = 0;
    for (size_t at = node; at != 0; at = tree->nodes[at].parent) {
        stack[count++] = tree->nodes[at].name;
    }
    while (count-- > 0) {
        write_name(stream, tree->names[stack[count]]);
        fputs(count > 0 ? ";" : "", stream);
    }
}

static mprof_status end(mprof__export_out *out)
{
    const mprof__stack_tree *tree = out->state;
    uint32_t *stack = calloc(tree->node_count + 1, sizeof *stack);
    if (!stack) {
        return fail_memory(out);
    }
    for (size_t i = 1; i < tree->node_count; i++) {
        double weight = mprof__stack_tree_weight(tree, i, out->options->by);
        if (weight > 0) {
            write_stack(out->stream, tree, i, stack);
            fprintf(out->stream, " %.0f\n", weight);
        }
    }
    free(stack);
    return MPROF_OK;
}

static void release(mprof__export_out *out)
{
    if (out->state) {
        mprof__stack_tree_free(out->state);
        free(out->state);
    }
}

const mprof__export_format mprof__export_collapsed = {
    .name = "collapsed",
    .extension = ".folded",
    .help = "a line for each stack of calls, for flame graphs",
    .is_of_calls = true,
    .is_weighed = true,
    .begin = begin,
    .enter = enter,
    .leave = leave,
    .stack = stack,
    .growth = growth,
    .end = end,
    .release = release,
};
