/* The command table: which folder serves which command. Nothing else lives here. */
#include "parse/commands/command.h"
#include "record/command.h"

static const mprof_command commands[] = {
    {"run", mprof_run_command, "record the memory of a program"},
    {"attach", mprof_attach_command, "record a process that is already running"},
    {"top", mprof_top_command, "watch a recording in progress, or a process"},
    {"plot", mprof_draw_command, "draw recordings as PNG, SVG or PDF"},
    {"report", mprof_draw_command, "write a report of recordings as HTML, Markdown or JSON"},
    {"peak", mprof_peak_command, "print the highest memory of recordings"},
    {"functions", mprof_functions_command, "print who made memory grow, by function"},
    {"check", mprof_check_command, "hold recordings against limits, for scripts and CI"},
    {"diff", mprof_diff_command, "compare two recordings, or two groups of them"},
    {"export", mprof_export_command, "convert recordings into formats of other tools"},
    {"import", mprof_import_command, "write a log of another tool as a recording"},
    {"merge", mprof_merge_command, "merge recordings of one job from many hosts or ranks"},
    {"list", mprof_list_command, "list the recordings of this directory"},
    {"rm", mprof_rm_command, "remove recordings by number or name"},
    {"clean", mprof_clean_command, "remove all recordings of this directory"},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    return mprof__command_main(commands, argc, argv);
}
