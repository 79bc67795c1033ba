/* The program mprof-draw. `mprof` executes it for commands that draw, so that mprof itself needs
 * neither Cairo nor Pango. */
#include "command.h"
#include "parse/commands/command.h"

static const mprof_command commands[] = {
    {"plot", mprof_plot_command, "Draw recordings as PNG, SVG or PDF"},
    {"diff", mprof_diff_plot_command, "Draw the difference of two recordings"},
    {"report", mprof_report_command, "Write a report of recordings for a browser or a CI job"},
    {0},
};

int main(int argc, char **argv)
{
    mprof__command_plain_errors();
    return mprof__command_main(commands, argc, argv);
}
