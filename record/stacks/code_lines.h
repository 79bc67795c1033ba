/* Which line of a file an instruction belongs to. */
#ifndef MPROF_RECORD_CODE_LINES_H
#define MPROF_RECORD_CODE_LINES_H

#include "python_layout.h"

/* The line of the instruction at `offset` bytes in a function's bytecode; `table` is the bytes
 * object that the compiler made for it. 0: it belongs to no line, or the table is damaged. */
int32_t mprof__code_line(mprof__line_format format, const unsigned char *table, size_t size,
                         int32_t first_line, int64_t offset);

#endif
