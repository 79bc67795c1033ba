/* Tables of functions and processes, ready for a template: rows sorted, one unit in each column.
 * Private to the reports.
 *
 * {id, title, note, is_long, columns: [{title, is_left, sorted?}],
 *  rows: [{name, slot?: {number, light}, cells: [{text, value, is_left, bar?: {width}}]}],
 * left_out?} */
#ifndef MPROF_RENDER_REPORT_TABLES_H
#define MPROF_RENDER_REPORT_TABLES_H

#include <jansson.h>

/* Each of a recording of the report, with row_max rows at most; JSON null if there is nothing to
 * show. prefix: of ids, which are unique in a page. NULL: out of memory. */
json_t *mprof__functions_table(const json_t *recording, const char *prefix, size_t row_max);
json_t *mprof__processes_table(const json_t *recording, const char *prefix, size_t row_max);

/* "exit 0", "killed by signal 9", "out of memory"; text[64]. */
char *mprof__end_word(char *text, const json_t *end);

#endif
