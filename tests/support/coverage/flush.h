/* Writes counts of lines and branches; see flush.c. */
#ifndef MPROF_TESTS_COVERAGE_FLUSH_H
#define MPROF_TESTS_COVERAGE_FLUSH_H

/* Writes the counts of this object. */
void mprof__coverage_flush(void);

/* In the preload shim: the list of the process's objects. */
void mprof_coverage_register(void (*flush)(void));
void mprof_coverage_forget(void (*flush)(void));
void mprof_coverage_flush_all(void);

#endif
