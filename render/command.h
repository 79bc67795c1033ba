/* The commands of mprof-draw. */
#ifndef MPROF_RENDER_COMMAND_H
#define MPROF_RENDER_COMMAND_H

int mprof_diff_plot_command(int argc, char **argv);
int mprof_plot_command(int argc, char **argv);
int mprof_report_command(int argc, char **argv);

#endif
