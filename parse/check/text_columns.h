/* Numbers and names in the columns of a table for people. Private to the program. */
#ifndef MPROF_PARSE_CHECK_TEXT_COLUMNS_H
#define MPROF_PARSE_CHECK_TEXT_COLUMNS_H

#include "result_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns of a terminal that text takes, if each character takes one. */
size_t mprof__text_columns(const char *text);

/* A number with a sign, or without one if it is not negative. */
void mprof__text_signed(const mprof__text_style *style, char *text, size_t size, double value,
                        int decimals, bool with_plus);

/* Text of others, which a terminal must not obey, within so many columns; cut at its end. */
void mprof__text_plain(const mprof__text_style *style, char *text, size_t size, const char *from,
                       size_t most);

/* In place: gives numbers in words that are ASCII a minus sign, as far as the room goes. */
void mprof__text_spell_minus(char *text, size_t size);

/* Prints words within the width, further lines indented like the first. */
void mprof__text_wrap(FILE *stream, const mprof__text_style *style, const char *text,
                      size_t indent);

#endif
