/* Numbers as text of 88 letters. A number is written in base 44, lowest digit first; each digit but
 * the last is the letter 44 places later. Signed numbers are folded: 0, -1, 1, -2 become 0, 1,
 * 2, 3. Most differences between neighbours take one to three letters. Private to the folder. */
#ifndef MPROF_RENDER_NUMBER_STREAM_H
#define MPROF_RENDER_NUMBER_STREAM_H

#include <mprof/output.h>
#include <stdint.h>

void mprof__put_count(mprof_output *output, uint64_t value);
void mprof__put_signed(mprof_output *output, long long value);

#endif
