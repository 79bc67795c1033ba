/* Unpacks a stream step by step: for whole files, and for one that still grows. Private to this
 * room. */
#ifndef MPROF_PARSE_DECODER_H
#define MPROF_PARSE_DECODER_H

#include "compression.h"

#include <stdbool.h>

typedef struct mprof__decoder mprof__decoder;

/* Packed bytes: a step advances both. */
typedef struct mprof__packed {
    const char *bytes;
    size_t size;
} mprof__packed;

typedef enum mprof__decoded {
    MPROF__DECODED_OK, /* all of the input, or as much as there was room for */
    MPROF__DECODED_ENOMEM,
    MPROF__DECODED_DAMAGED, /* what was unpacked before is good, as far as known */
    MPROF__DECODED_REFUSED, /* expands beyond reason, or needs too much memory: *reason */
} mprof__decoded;

/* NULL without memory. The build must support the compression. */
mprof__decoder *mprof__decoder_new(mprof_compression compression);
void mprof__decoder_free(mprof__decoder *decoder);

/* Back to the start of the stream. */
void mprof__decoder_reset(mprof__decoder *decoder);

/* Unpacks into `out`. *produced is 0 only if all of the input was used. *reason is set on
 * MPROF__DECODED_REFUSED, and static. */
mprof__decoded mprof__decoder_step(mprof__decoder *decoder, mprof__packed *in, char *out,
                                   size_t size, size_t *produced, const char **reason);

/* Nothing is missing if the input ends here: at the end of a stream, or where its writer flushed.
 */
bool mprof__decoder_is_whole(const mprof__decoder *decoder);

#endif
