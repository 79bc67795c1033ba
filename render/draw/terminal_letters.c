/* The terminal's background is unknown without COLORFGBG: the title keeps the terminal's own
 * colour, and all others are clear on white as on black. */
#include "terminal_letters.h"

#include "theme.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUE_COLOURS 16777216
#define QUIET_ON_ANY 0x7B8694 /* grey text where the background is unknown */

int mprof__terminal_colours(void)
{
    const char *none = getenv("NO_COLOR"), *depth = getenv("COLORTERM"), *term = getenv("TERM");
    if (none && *none) {
        return 0;
    }
    if (depth && (strcmp(depth, "truecolor") == 0 || strcmp(depth, "24bit") == 0)) {
        return TRUE_COLOURS;
    }
    if (!term || !*term || strncmp(term, "vt", 2) == 0 || strcmp(term, "dumb") == 0) {
        return 0;
    }
    return strstr(term, "-direct") ? TRUE_COLOURS : strstr(term, "256color") ? 256 : 8;
}

int mprof__letter_columns(const char *letter, size_t length)
{
    int columns = 0;
    for (const char *at = letter; at < letter + length; at = g_utf8_find_next_char(at, NULL)) {
        gunichar character = g_utf8_get_char(at);
        int own = g_unichar_iszerowidth(character) ? 0 : g_unichar_iswide(character) ? 2 : 1;
        columns = own > columns ? own : columns; /* an emoji of several is as wide as one */
    }
    return columns;
}

static int nearest_level(unsigned value)
{
    return value < 48 ? 0 : value < 115 ? 1 : (int)(value - 35) / 40;
}

/* The nearest of the cube of 6 x 6 x 6 colours. */
static int cube_index(uint32_t rgb)
{
    return 16 + 36 * nearest_level(rgb >> 16) + 6 * nearest_level(rgb >> 8 & 0xFF) +
           nearest_level(rgb & 0xFF);
}

/* Of the eight colours, the one with the same strong parts; grey is the terminal's own colour. */
static int basic_index(uint32_t rgb)
{
    unsigned red = rgb >> 16, green = rgb >> 8 & 0xFF, blue = rgb & 0xFF;
    unsigned most = red > green ? red : green, least = red < green ? red : green;
    most = blue > most ? blue : most;
    least = blue < least ? blue : least;
    if (most - least < 48) {
        return 9;
    }
    unsigned middle = (most + least) / 2;
    return (red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0);
}

/* Text of the title, and cells without a role, are in the terminal's own colour. */
static void set_style(char *text, size_t size, const mprof__cell *cell,
                      const mprof_draw_options *draw, int colours)
{
    bool dark = draw->theme == MPROF_THEME_DARK;
    size_t used = (size_t)snprintf(text, size, "\x1b[0%s", cell->strong ? ";1" : "");
    if (colours && cell->role < MPROF_ROLE_COUNT && cell->role != MPROF_ROLE_TITLE) {
        const mprof__style *style = mprof__role_style(MPROF__PALETTE_LIGHT, cell->role);
        mprof__tone base = style->fill != MPROF__TONE_NONE ? style->fill : style->stroke;
        mprof__tone tone = mprof__resolve_tone(style, base, cell->colour);
        mprof__looks looks = {dark ? MPROF__PALETTE_DARK : MPROF__PALETTE_LIGHT, draw->style};
        uint32_t rgb = mprof__tone_colour(&looks, tone, cell->colour);
        rgb = tone == MPROF__TONE_QUIET && !dark ? QUIET_ON_ANY : rgb;
        if (colours == TRUE_COLOURS) {
            used += (size_t)snprintf(text + used, size - used, ";38;2;%u;%u;%u", rgb >> 16,
                                     rgb >> 8 & 0xFF, rgb & 0xFF);
        } else if (colours == 256) {
            used += (size_t)snprintf(text + used, size - used, ";38;5;%d", cube_index(rgb));
        } else {
            used += (size_t)snprintf(text + used, size - used, ";3%d", basic_index(rgb));
        }
    }
    snprintf(text + used, size - used, "m");
}

static int last_column(const mprof__terminal_chart *chart, const mprof__cell *row)
{
    int last = chart->columns;
    while (last > 0 && strcmp(row[last - 1].letter, " ") == 0) {
        last--;
    }
    return last;
}

void mprof__terminal_letters_write(const mprof__terminal_chart *chart,
                                   const mprof_draw_options *draw, int colours,
                                   mprof_output *output)
{
    static const char plain[] = "\x1b[0m";
    for (int r = 0; r < chart->rows; r++) {
        const mprof__cell *row = chart->cells + r * chart->columns;
        char current[64] = "\x1b[0m", wanted[64];
        int columns = last_column(chart, row);
        for (int c = 0; c < columns; c++) {
            if (strcmp(row[c].letter, " ") != 0) {
                set_style(wanted, sizeof wanted, &row[c], draw, colours);
                if (strcmp(wanted, current) != 0) {
                    mprof_output_write(output, wanted, strlen(wanted));
                    memcpy(current, wanted, sizeof current);
                }
            }
            mprof_output_write(output, row[c].letter, strlen(row[c].letter));
        }
        if (strcmp(current, plain) != 0) {
            mprof_output_write(output, plain, sizeof plain - 1);
        }
        mprof_output_write(output, "\n", 1);
    }
}
