/* Packs a stream. Private to this folder. */
#ifndef MPROF_PARSE_ENCODER_H
#define MPROF_PARSE_ENCODER_H

#include "buffer.h"
#include "compression.h"

typedef struct mprof__encoder mprof__encoder;

typedef enum mprof__encode_how {
    MPROF__ENCODE_MORE,  /* may keep bytes back, for a better ratio */
    MPROF__ENCODE_FLUSH, /* all bytes so far can be unpacked */
    MPROF__ENCODE_END,   /* ends the stream */
} mprof__encode_how;

/* NULL without memory. The build must support the compression. */
mprof__encoder *mprof__encoder_new(mprof_compression compression);
void mprof__encoder_free(mprof__encoder *encoder);

/* Appends packed bytes to `out`. 0, or -1 without memory. */
int mprof__encoder_add(mprof__encoder *encoder, const char *bytes, size_t size,
                       mprof__encode_how how, mprof__buffer *out);

#endif
