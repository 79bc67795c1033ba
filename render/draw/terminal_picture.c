/* Draws in a terminal with libchafa: as pixels if the terminal supports them (kitty, iTerm2,
 * sixel), else as coloured Unicode blocks with the figure's text as the terminal's letters. The
 * figure is laid out for these: a cell is 8 x 16 units. The library is loaded at run time, because
 * pictures in files must not wait for it and it need not be installed. */
#include "terminal_picture.h"

#include "draw.h"
#include "theme.h"

#include <stdbool.h>
#include <string.h>

#ifdef MPROF_CHAFA

#include <chafa.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LIBRARY "libchafa.so.0"
#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT 24
#define ROWS_MIN 24
#define ROWS_LEFT 3 /* for the prompt and the path */
#define CELL_WIDTH_DEFAULT 10
#define CELL_HEIGHT_DEFAULT 20
#define UNIT_WIDTH 8.0 /* a cell, in units of the figure */
#define UNIT_HEIGHT 16.0
#define BASELINE 5.0 /* of a letter, above its lower edge */

/* The functions of the library that are used here. */
#define FUNCTIONS(X)                                                                               \
    X(chafa_term_db_get_default)                                                                   \
    X(chafa_term_db_detect)                                                                        \
    X(chafa_term_info_have_seq)                                                                    \
    X(chafa_term_info_unref)                                                                       \
    X(chafa_canvas_config_new)                                                                     \
    X(chafa_canvas_config_set_canvas_mode)                                                         \
    X(chafa_canvas_config_set_cell_geometry)                                                       \
    X(chafa_canvas_config_set_geometry)                                                            \
    X(chafa_canvas_config_set_pixel_mode)                                                          \
    X(chafa_canvas_config_set_symbol_map)                                                          \
    X(chafa_canvas_config_unref)                                                                   \
    X(chafa_symbol_map_add_by_tags)                                                                \
    X(chafa_symbol_map_new)                                                                        \
    X(chafa_symbol_map_unref)                                                                      \
    X(chafa_canvas_new)                                                                            \
    X(chafa_canvas_get_colors_at)                                                                  \
    X(chafa_canvas_set_char_at)                                                                    \
    X(chafa_canvas_set_colors_at)                                                                  \
    X(chafa_canvas_draw_all_pixels)                                                                \
    X(chafa_canvas_print)                                                                          \
    X(chafa_canvas_unref)

struct chafa {
    void *library;
#define MEMBER(name) __typeof__(name) *name;
    FUNCTIONS(MEMBER)
};

/* The library is never unloaded: GLib keeps types that it has registered. */
static bool load(struct chafa *chafa)
{
    chafa->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!chafa->library) {
        return false;
    }
/* POSIX allows this conversion of a data pointer to a function pointer, ISO C does not define it */
#define LOOK_UP(name) *(void **)(&chafa->name) = dlsym(chafa->library, #name);
    FUNCTIONS(LOOK_UP)
    bool good = true;
#define CHECK(name) good = good && chafa->name;
    FUNCTIONS(CHECK)
    return good;
}

static mprof__terminal_mode mode_of(const struct chafa *chafa, ChafaTermInfo *info)
{
    if (chafa->chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1)) {
        return MPROF__TERMINAL_KITTY;
    }
    if (chafa->chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_ITERM2_IMAGE)) {
        return MPROF__TERMINAL_ITERM;
    }
    if (chafa->chafa_term_info_have_seq(info, CHAFA_TERM_SEQ_BEGIN_SIXELS)) {
        return MPROF__TERMINAL_SIXEL;
    }
    return MPROF__TERMINAL_SYMBOLS;
}

static ChafaTermInfo *detect(const struct chafa *chafa)
{
    return chafa->chafa_term_db_detect(chafa->chafa_term_db_get_default(), environ);
}

static void read_size(mprof__terminal *terminal, int fd)
{
    struct winsize size;
    memset(&size, 0, sizeof size);
    ioctl(fd, TIOCGWINSZ, &size);
    terminal->columns = size.ws_col ? size.ws_col : COLUMNS_DEFAULT;
    terminal->rows = size.ws_row ? size.ws_row : ROWS_DEFAULT;
    terminal->cell_width = size.ws_xpixel / terminal->columns;
    terminal->cell_height = size.ws_ypixel / terminal->rows;
    if (terminal->cell_width < 4 || terminal->cell_height < 4) {
        terminal->cell_width = CELL_WIDTH_DEFAULT;
        terminal->cell_height = CELL_HEIGHT_DEFAULT;
    }
}

void mprof__terminal_detect(mprof__terminal *terminal, int fd)
{
    const char *name = getenv("TERM");
    struct chafa chafa;
    memset(terminal, 0, sizeof *terminal);
    if (!isatty(fd) || !name || !*name || strcmp(name, "dumb") == 0) {
        return;
    }
    if (load(&chafa)) {
        ChafaTermInfo *info = detect(&chafa);
        terminal->mode = mode_of(&chafa, info);
        chafa.chafa_term_info_unref(info);
        read_size(terminal, fd);
    }
}

static int usable_rows(const mprof__terminal *terminal)
{
    return terminal->rows > 4 * ROWS_LEFT ? terminal->rows - ROWS_LEFT : terminal->rows;
}

/* Cells of the picture: all columns, and the rows that its shape needs, as far as there are any. */
static void fit_cells(const mprof__terminal *terminal, double width_px, double height_px,
                      int *columns, int *rows)
{
    double cell = (double)terminal->cell_height / terminal->cell_width;
    if (terminal->mode == MPROF__TERMINAL_SYMBOLS) {
        cell = UNIT_HEIGHT / UNIT_WIDTH;
    }
    double wanted = terminal->columns * height_px / width_px / cell;
    *rows = (int)fmax(1, floor(fmin(wanted, usable_rows(terminal))));
    *columns = (int)fmax(1, fmin(terminal->columns, ceil(*rows * width_px / height_px * cell)));
}

void mprof__terminal_fit(const mprof__terminal *terminal, mprof_figure_options *figure,
                         mprof_draw_options *draw)
{
    if (terminal->mode == MPROF__TERMINAL_SYMBOLS) {
        double shape = figure->height_px / figure->width_px;
        figure->width_px = terminal->columns * UNIT_WIDTH;
        int rows = (int)ceil(fmax(figure->width_px * shape, ROWS_MIN * UNIT_HEIGHT) / UNIT_HEIGHT);
        rows = rows < usable_rows(terminal) ? rows : usable_rows(terminal);
        figure->height_px = rows * UNIT_HEIGHT;
        figure->grow = 0;
        draw->dpi = MPROF_DEFAULT_DPI;
        return;
    }
    double pixels = terminal->columns * terminal->cell_width;
    draw->dpi = fmin(MPROF_DEFAULT_DPI * 2, MPROF_DEFAULT_DPI * pixels / figure->width_px);
}

/* ---- text as letters ---- */

static int letter_columns(gunichar letter)
{
    return g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1;
}

static double letters_width(void *data, mprof_font font, const char *text, size_t length)
{
    int columns = 0;
    (void)data;
    (void)font;
    for (const char *at = text; at < text + length; at = g_utf8_find_next_char(at, NULL)) {
        columns += letter_columns(g_utf8_get_char(at));
    }
    return columns * UNIT_WIDTH;
}

static size_t letters_fit(void *data, mprof_font font, const char *text, size_t length,
                          double width_px)
{
    double width = 0;
    const char *at = text;
    (void)data;
    (void)font;
    while (at < text + length) {
        width += letter_columns(g_utf8_get_char(at)) * UNIT_WIDTH;
        if (width > width_px) {
            break;
        }
        at = g_utf8_find_next_char(at, NULL);
    }
    return (size_t)(at - text);
}

const mprof_measure *mprof__terminal_measure(const mprof__terminal *terminal)
{
    static const mprof_measure letters = {NULL, letters_width, letters_fit};
    return terminal->mode == MPROF__TERMINAL_SYMBOLS ? &letters : NULL;
}

/* The cells of a canvas that hold a letter already. */
struct letters {
    const struct chafa *chafa;
    ChafaCanvas *canvas;
    int columns, rows;
    unsigned char *taken;
    bool dark;
};

static bool is_free(const struct letters *letters, int column, int row, int count)
{
    if (row < 0 || row >= letters->rows || column < 0 || column + count > letters->columns) {
        return false;
    }
    /* leave one empty cell on both sides */
    int from = column > 0 ? column - 1 : 0;
    int to = column + count < letters->columns ? column + count + 1 : column + count;
    return !memchr(letters->taken + row * letters->columns + from, 1, (size_t)(to - from));
}

static void put_letters(const struct letters *letters, const mprof_item *item, const char *text)
{
    const mprof__style *style = mprof__role_style(MPROF__PALETTE_LIGHT, item->role);
    mprof__tone tone = mprof__resolve_tone(style, style->fill, item->colour);
    int colour = (int)mprof__tone_colour(letters->dark, tone, item->colour);
    double width = letters_width(NULL, (mprof_font){0, 0}, text, item->count);
    double left = (double)item->x - (item->anchor == MPROF_ANCHOR_END      ? width
                                     : item->anchor == MPROF_ANCHOR_MIDDLE ? width / 2
                                                                           : 0);
    int column = (int)lround(left / UNIT_WIDTH);
    int row = (int)floor(((double)item->y - BASELINE) / UNIT_HEIGHT);
    int count = (int)lround(width / UNIT_WIDTH);
    if (!is_free(letters, column, row, count)) {
        return;
    }
    memset(letters->taken + row * letters->columns + column, 1, (size_t)count);
    for (const char *at = text; at < text + item->count; at = g_utf8_find_next_char(at, NULL)) {
        gunichar letter = g_utf8_get_char(at);
        int own = letter_columns(letter), ink, paper;
        if (!own) {
            continue;
        }
        for (int i = 0; i < own; i++) {
            letters->chafa->chafa_canvas_get_colors_at(letters->canvas, column + i, row, &ink,
                                                       &paper);
            letters->chafa->chafa_canvas_set_colors_at(letters->canvas, column + i, row, colour,
                                                       paper);
        }
        letters->chafa->chafa_canvas_set_char_at(letters->canvas, column, row, letter);
        column += own;
    }
}

/* Items come in order of importance (titles, axes, the peak): later text must not cover earlier. */
static void put_texts(const struct chafa *chafa, ChafaCanvas *canvas, const mprof_figure *figure,
                      int columns, int rows, bool dark)
{
    size_t count, size;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const char *text = mprof_figure_text(figure, &size);
    struct letters letters = {chafa, canvas, columns, rows, calloc((size_t)columns, (size_t)rows),
                              dark};
    for (size_t i = 0; letters.taken && i < count; i++) {
        if (items[i].shape == MPROF_SHAPE_TEXT) {
            put_letters(&letters, &items[i], text + items[i].first);
        }
    }
    free(letters.taken);
}

/* ---- the picture ---- */

static GString *print(const struct chafa *chafa, const mprof__terminal *terminal,
                      const mprof__image *image, const mprof_figure *figure, bool dark)
{
    static const ChafaPixelMode modes[] = {
        [MPROF__TERMINAL_NONE] = CHAFA_PIXEL_MODE_SYMBOLS,
        [MPROF__TERMINAL_SYMBOLS] = CHAFA_PIXEL_MODE_SYMBOLS,
        [MPROF__TERMINAL_SIXEL] = CHAFA_PIXEL_MODE_SIXELS,
        [MPROF__TERMINAL_KITTY] = CHAFA_PIXEL_MODE_KITTY,
        [MPROF__TERMINAL_ITERM] = CHAFA_PIXEL_MODE_ITERM2,
    };
    int columns, rows;
    fit_cells(terminal, image->width, image->height, &columns, &rows);
    ChafaTermInfo *info = detect(chafa);
    ChafaSymbolMap *symbols = chafa->chafa_symbol_map_new();
    ChafaCanvasConfig *config = chafa->chafa_canvas_config_new();
    chafa->chafa_symbol_map_add_by_tags(symbols, CHAFA_SYMBOL_TAG_BLOCK | CHAFA_SYMBOL_TAG_BORDER |
                                                     CHAFA_SYMBOL_TAG_SPACE);
    chafa->chafa_canvas_config_set_symbol_map(config, symbols);
    chafa->chafa_canvas_config_set_geometry(config, columns, rows);
    chafa->chafa_canvas_config_set_cell_geometry(config, terminal->cell_width,
                                                 terminal->cell_height);
    chafa->chafa_canvas_config_set_canvas_mode(config, CHAFA_CANVAS_MODE_TRUECOLOR);
    chafa->chafa_canvas_config_set_pixel_mode(config, modes[terminal->mode]);
    ChafaCanvas *canvas = chafa->chafa_canvas_new(config);
    chafa->chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_BGRA8_PREMULTIPLIED, image->pixels,
                                        image->width, image->height, (int)image->stride);
    if (terminal->mode == MPROF__TERMINAL_SYMBOLS) {
        put_texts(chafa, canvas, figure, columns, rows, dark);
    }
    GString *text = chafa->chafa_canvas_print(canvas, info);
    chafa->chafa_canvas_unref(canvas);
    chafa->chafa_canvas_config_unref(config);
    chafa->chafa_symbol_map_unref(symbols);
    chafa->chafa_term_info_unref(info);
    return text;
}

mprof_status mprof__terminal_draw(const mprof__terminal *terminal, const mprof_figure *figure,
                                  const mprof_draw_options *options, mprof_text_engine *engine,
                                  mprof_output *output, mprof_error *error)
{
    struct chafa chafa;
    mprof__image image;
    mprof_status status = mprof__image_paint(
        &image, figure, options, terminal->mode == MPROF__TERMINAL_SYMBOLS ? NULL : engine, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (load(&chafa)) {
        GString *text = print(&chafa, terminal, &image, figure, options->theme == MPROF_THEME_DARK);
        mprof_output_write(output, text->str, text->len);
        mprof_output_write(output, "\n", 1);
        g_string_free(text, TRUE);
    } else {
        status = mprof_error_set(error, MPROF_EDRAW, "cannot load " LIBRARY "; install libchafa");
    }
    mprof__image_free(&image);
    return status;
}

#else

void mprof__terminal_detect(mprof__terminal *terminal, int fd)
{
    (void)fd;
    memset(terminal, 0, sizeof *terminal);
}

void mprof__terminal_fit(const mprof__terminal *terminal, mprof_figure_options *figure,
                         mprof_draw_options *draw)
{
    (void)terminal;
    (void)figure;
    (void)draw;
}

const mprof_measure *mprof__terminal_measure(const mprof__terminal *terminal)
{
    (void)terminal;
    return NULL;
}

mprof_status mprof__terminal_draw(const mprof__terminal *terminal, const mprof_figure *figure,
                                  const mprof_draw_options *options, mprof_text_engine *engine,
                                  mprof_output *output, mprof_error *error)
{
    (void)terminal;
    (void)figure;
    (void)options;
    (void)engine;
    (void)output;
    return mprof_error_set(error, MPROF_EDRAW,
                           "mprof was built without libchafa; write the picture to a file with -o");
}

#endif
