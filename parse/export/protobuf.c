/* Only what the writers need: https://protobuf.dev/programming-guides/encoding. */
#include "protobuf.h"

#include "parse/plain_text.h"

#include <string.h>

enum { VARINT = 0, LENGTH_DELIMITED = 2, VARINT_MOST = 10 };

void mprof__protobuf_clear(mprof__protobuf *message)
{
    message->bytes.length = 0;
    message->has_failed = false;
}

void mprof__protobuf_free(mprof__protobuf *message)
{
    mprof__buffer_free(&message->bytes);
}

/* Seven bits in a byte, the lowest first. */
static size_t encode(unsigned char bytes[VARINT_MOST], uint64_t value)
{
    size_t count = 0;
    for (; value >= 0x80; value >>= 7) {
        bytes[count++] = (unsigned char)(value | 0x80);
    }
    bytes[count++] = (unsigned char)value;
    return count;
}

static void append(mprof__protobuf *message, const void *bytes, size_t size)
{
    if (!message->has_failed && size > 0) {
        message->has_failed = mprof__buffer_append(&message->bytes, bytes, size) != 0;
    }
}

static void append_varint(mprof__protobuf *message, uint64_t value)
{
    unsigned char bytes[VARINT_MOST];
    append(message, bytes, encode(bytes, value));
}

void mprof__protobuf_number(mprof__protobuf *message, unsigned field, uint64_t value)
{
    append_varint(message, field << 3 | VARINT);
    append_varint(message, value);
}

/* How many bytes the text has where U+FFFD stands for what is not UTF-8. */
static size_t length_of(const char *text)
{
    size_t length = 0, left = strlen(text), size;
    for (; left > 0; text += size, left -= size) {
        length += mprof__text_decode(text, left, &size) == MPROF__NO_CHARACTER ? 3 : size;
    }
    return length;
}

void mprof__protobuf_text(mprof__protobuf *message, unsigned field, const char *text)
{
    size_t left = strlen(text), size;
    append_varint(message, field << 3 | LENGTH_DELIMITED);
    append_varint(message, length_of(text));
    for (; left > 0; text += size, left -= size) {
        bool is_text = mprof__text_decode(text, left, &size) != MPROF__NO_CHARACTER;
        append(message, is_text ? text : "\xef\xbf\xbd", is_text ? size : 3);
    }
}

void mprof__protobuf_message(mprof__protobuf *message, unsigned field, const mprof__protobuf *part)
{
    append_varint(message, field << 3 | LENGTH_DELIMITED);
    append_varint(message, part->bytes.length);
    append(message, part->bytes.bytes, part->bytes.length);
    message->has_failed |= part->has_failed;
}

bool mprof__protobuf_write(FILE *stream, unsigned field, const mprof__protobuf *message)
{
    unsigned char head[2 * VARINT_MOST];
    size_t size = encode(head, field << 3 | LENGTH_DELIMITED);
    size += encode(head + size, message->bytes.length);
    fwrite(head, 1, size, stream);
    if (message->bytes.length) { /* else there may be no bytes */
        fwrite(message->bytes.bytes, 1, message->bytes.length, stream);
    }
    return !message->has_failed;
}
