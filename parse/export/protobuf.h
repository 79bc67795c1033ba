/* Messages of protocol buffers, in their wire format. Private to this folder. */
#ifndef MPROF_PARSE_EXPORT_PROTOBUF_H
#define MPROF_PARSE_EXPORT_PROTOBUF_H

#include "parse/buffer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A message that is being made. All zero: empty. */
typedef struct mprof__protobuf {
    mprof__buffer bytes;
    bool has_failed; /* out of memory; what follows is dropped */
} mprof__protobuf;

void mprof__protobuf_clear(mprof__protobuf *message);
void mprof__protobuf_free(mprof__protobuf *message);

/* A whole number, of any type of integer, enumeration or bool; not of sint32 and sint64. */
void mprof__protobuf_number(mprof__protobuf *message, unsigned field, uint64_t value);
/* A string; bytes that are not UTF-8 become U+FFFD. */
void mprof__protobuf_text(mprof__protobuf *message, unsigned field, const char *text);
void mprof__protobuf_message(mprof__protobuf *message, unsigned field, const mprof__protobuf *part);

/* Writes the message as a field of one that is larger than memory. False: it has failed. */
bool mprof__protobuf_write(FILE *stream, unsigned field, const mprof__protobuf *message);

#endif
