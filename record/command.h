/* The commands of this folder. */
#ifndef MPROF_RECORD_COMMAND_H
#define MPROF_RECORD_COMMAND_H

int mprof_run_command(int argc, char **argv);
int mprof_attach_command(int argc, char **argv);
int mprof_top_command(int argc, char **argv);

#endif
