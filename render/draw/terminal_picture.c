/* Draws in a terminal as pixels with libchafa, if the terminal supports them (kitty, iTerm2,
 * sixel); others get letters (terminal_letters.c). The library is loaded at run time, because
 * pictures in files must not wait for it and it need not be installed. */
#include "terminal_picture.h"

#include "draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT 24
#define ROWS_LEFT 3 /* for the prompt and the path */
#define CELL_WIDTH_DEFAULT 10
#define CELL_HEIGHT_DEFAULT 20

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

static void detect_pixels(mprof__terminal *terminal);

void mprof__terminal_detect(mprof__terminal *terminal, int fd)
{
    const char *name = getenv("TERM");
    memset(terminal, 0, sizeof *terminal);
    if (!isatty(fd) || !name || !*name || strcmp(name, "dumb") == 0) {
        return;
    }
    read_size(terminal, fd);
    terminal->mode = MPROF__TERMINAL_LETTERS;
    detect_pixels(terminal);
}

int mprof__terminal_usable_rows(const mprof__terminal *terminal)
{
    return terminal->rows > 2 * ROWS_LEFT + 2 ? terminal->rows - ROWS_LEFT : terminal->rows;
}

#ifdef MPROF_CHAFA

#include <chafa.h>
#include <dlfcn.h>

#define LIBRARY "libchafa.so.0"

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
    return MPROF__TERMINAL_LETTERS;
}

static ChafaTermInfo *detect(const struct chafa *chafa)
{
    return chafa->chafa_term_db_detect(chafa->chafa_term_db_get_default(), environ);
}

static void detect_pixels(mprof__terminal *terminal)
{
    struct chafa chafa;
    if (load(&chafa)) {
        ChafaTermInfo *info = detect(&chafa);
        terminal->mode = mode_of(&chafa, info);
        chafa.chafa_term_info_unref(info);
    } else {
        terminal->lacks_library = true;
    }
}

/* Cells of the picture: all columns, and the rows that its shape needs, as far as there are any. */
static void fit_cells(const mprof__terminal *terminal, double width_px, double height_px,
                      int *columns, int *rows)
{
    double cell = (double)terminal->cell_height / terminal->cell_width;
    double wanted = terminal->columns * height_px / width_px / cell;
    *rows = (int)fmax(1, floor(fmin(wanted, mprof__terminal_usable_rows(terminal))));
    *columns = (int)fmax(1, fmin(terminal->columns, ceil(*rows * width_px / height_px * cell)));
}

void mprof__terminal_fit(const mprof__terminal *terminal, const mprof_figure_options *figure,
                         mprof_draw_options *draw)
{
    double pixels = terminal->columns * terminal->cell_width;
    draw->dpi = fmin(MPROF_DEFAULT_DPI * 2, MPROF_DEFAULT_DPI * pixels / figure->width_px);
}

static GString *print(const struct chafa *chafa, const mprof__terminal *terminal,
                      const mprof__image *image)
{
    static const ChafaPixelMode modes[] = {
        [MPROF__TERMINAL_NONE] = CHAFA_PIXEL_MODE_SYMBOLS,
        [MPROF__TERMINAL_LETTERS] = CHAFA_PIXEL_MODE_SYMBOLS,
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
    mprof_status status = mprof__image_paint(&image, figure, options, engine, error);
    if (status != MPROF_OK) {
        return status;
    }
    if (load(&chafa)) {
        GString *text = print(&chafa, terminal, &image);
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

static void detect_pixels(mprof__terminal *terminal)
{
    (void)terminal;
}

void mprof__terminal_fit(const mprof__terminal *terminal, const mprof_figure_options *figure,
                         mprof_draw_options *draw)
{
    (void)terminal;
    (void)figure;
    (void)draw;
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
