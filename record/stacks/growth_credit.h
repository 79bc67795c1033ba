/* To which stacks the growth and the release of a process are credited: the steps of a sample, in
 * this order. See process_stacks.h for what they rest on. Private to process_stacks.c. */
#ifndef MPROF_RECORD_GROWTH_CREDIT_H
#define MPROF_RECORD_GROWTH_CREDIT_H

#include "process_stacks.h"

/* Counts the faults of a thread since the last sample, and credits the part that the stack of that
 * sample made. After mprof__process_growth_measure(). */
void mprof__growth_credit_measure(mprof__process_stacks *stacks, mprof__stack_thread *thread,
                                  int64_t now_ns);

/* With the thread's new stack: how fast it makes page faults there, as fast as can be if it was
 * caught at one, and not known if the stack is new. */
void mprof__growth_credit_note_rate(mprof__stack_thread *thread, uint32_t node_before,
                                    int64_t lasted_ns);

/* Credits the rest to the stacks of this sample, and what no thread owns to those that have ended,
 * or to lanes of their own. */
void mprof__growth_credit_sample(mprof__process_stacks *stacks, const mprof__stack_moment *moment);

/* What a forked process has grown by before its first sample goes to the stack of that sample. */
void mprof__growth_credit_birth(mprof__process_stacks *stacks, const mprof__python_sample *sample,
                                int64_t bytes, const mprof__stack_moment *moment);

/* Credits the release found at the sample before, and notes that of this one: at the end of a
 * process all its memory goes, which is no release of the function that ran last. */
void mprof__growth_credit_release(mprof__process_stacks *stacks, const mprof__python_sample *sample,
                                  const mprof__stack_moment *moment);

#endif
