/* Measures and draws text; the only user of Pango. Finding fonts takes most of the time of a small
 * picture, so fontconfig gets a minimal configuration: the usual font directories and caches,
 * without the about fifty rule files of a distribution. FONTCONFIG_FILE overrides it. */
#include "text.h"

#include "draw.h"

#include <fontconfig/fontconfig.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_FAMILY                                                                             \
    "Inter, DejaVu Sans, Noto Sans, Liberation Sans, Cantarell, Ubuntu, Roboto, Arial, sans-serif"
#define FONT_MAX 8 /* combinations of size and weight */

struct font_slot {
    mprof_font font;
    PangoFontDescription *description;
    float widths[128]; /* of ASCII letters; negative: not yet known */
};

struct mprof_text_engine {
    char *family;
    PangoContext *context;
    PangoLayout *layout;
    struct font_slot fonts[FONT_MAX];
    int font_count;
    uint32_t missing; /* the first character drawn that is in no font; 0: all were found */
};

static const char minimal_config[] =
    "<?xml version=\"1.0\"?><fontconfig>"
    "<dir>/usr/share/fonts</dir><dir>/usr/local/share/fonts</dir>"
    "<dir prefix=\"xdg\">fonts</dir><dir>~/.fonts</dir>"
    "<cachedir>/var/cache/fontconfig</cachedir><cachedir prefix=\"xdg\">fontconfig</cachedir>"
    /* emoji are bitmaps of one size: scale them */
    "<match target=\"font\"><test name=\"outline\"><bool>false</bool></test>"
    "<edit name=\"pixelsizefixupfactor\" mode=\"assign\"><divide>"
    "<name target=\"pattern\">pixelsize</name><name "
    "target=\"font\">pixelsize</name></divide></edit>"
    "<edit name=\"matrix\" mode=\"assign\"><times><name>matrix</name><matrix>"
    "<name>pixelsizefixupfactor</name><double>0</double>"
    "<double>0</double><name>pixelsizefixupfactor</name></matrix></times></edit>"
    "<edit name=\"size\" mode=\"assign\"><divide>"
    "<name>size</name><name>pixelsizefixupfactor</name></divide></edit></match>"
    "</fontconfig>";

/* Makes the minimal configuration the current one, unless it finds no fonts. */
static void configure_fonts(void)
{
    if (getenv("FONTCONFIG_FILE") || getenv("FONTCONFIG_PATH") || getenv("FONTCONFIG_SYSROOT")) {
        return;
    }
    FcConfig *config = FcConfigCreate();
    if (!config) {
        return;
    }
    if (FcConfigParseAndLoadFromMemory(config, (const FcChar8 *)minimal_config, FcTrue) &&
        FcConfigBuildFonts(config)) {
        const FcFontSet *fonts = FcConfigGetFonts(config, FcSetSystem);
        if (fonts && fonts->nfont > 0 && FcConfigSetCurrent(config)) {
            FcConfigDestroy(config); /* fontconfig holds its own reference */
            return;
        }
    }
    FcConfigDestroy(config);
}

static struct font_slot *find_slot(mprof_text_engine *engine, mprof_font font)
{
    for (int i = 0; i < engine->font_count; i++) {
        const mprof_font *known = &engine->fonts[i].font;
        if (!(known->size_px < font.size_px) && !(known->size_px > font.size_px) &&
            known->strong == font.strong) {
            return &engine->fonts[i];
        }
    }
    int at = engine->font_count < FONT_MAX ? engine->font_count++ : FONT_MAX - 1;
    struct font_slot *slot = &engine->fonts[at];
    if (slot->description) {
        pango_font_description_free(slot->description);
    }
    slot->font = font;
    slot->description = pango_font_description_new();
    pango_font_description_set_family(slot->description, engine->family);
    pango_font_description_set_absolute_size(slot->description, font.size_px * PANGO_SCALE);
    pango_font_description_set_weight(slot->description,
                                      font.strong ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_NORMAL);
    for (size_t i = 0; i < sizeof slot->widths / sizeof *slot->widths; i++) {
        slot->widths[i] = -1;
    }
    return slot;
}

static void set_text(mprof_text_engine *engine, const struct font_slot *slot, const char *text,
                     size_t length)
{
    pango_layout_set_font_description(engine->layout, slot->description);
    pango_layout_set_text(engine->layout, text, (int)length);
}

#define ADVICE "install one, for instance DejaVu (Debian's package fonts-dejavu-core)"

/* Every picture has numbers with units: without a font for them it would consist of empty boxes.
 * Fonts of symbols, emoji or one script only do not suffice. */
static mprof_status check_fonts(mprof_text_engine *engine, mprof_error *error)
{
    static const char letters[] = "0123456789.,:+()GMKiBms abcdefghijklmnopqrstuvwxyz";
    static const mprof_font font = {12, 0};
    set_text(engine, find_slot(engine, font), letters, sizeof letters - 1);
    if (pango_layout_get_unknown_glyphs_count(engine->layout) == 0) {
        return MPROF_OK;
    }
    return mprof_error_set(error, MPROF_EDRAW,
                           "cannot draw text: no installed font has letters and digits; " ADVICE);
}

mprof_status mprof_text_engine_new(mprof_text_engine **out, const char *family, mprof_error *error)
{
    *out = NULL;
    mprof_text_engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    engine->family = strdup(family && *family ? family : DEFAULT_FAMILY);
    if (!engine->family) {
        free(engine);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    configure_fonts();
    const FcFontSet *fonts = FcConfigGetFonts(NULL, FcSetSystem);
    /* this type overrides $PANGOCAIRO_BACKEND */
    PangoFontMap *map = fonts && fonts->nfont > 0
                            ? pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT)
                            : NULL;
    if (!map) {
        free(engine->family);
        free(engine);
        return mprof_error_set(error, MPROF_EDRAW,
                               "cannot draw text: no font is installed; " ADVICE);
    }
    engine->context = pango_font_map_create_context(map);
    g_object_unref(map);
    /* No hinting or rounding to device pixels: positions are the same in every format. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(engine->context, options);
    pango_cairo_context_set_resolution(engine->context, 72); /* a point is one unit of the figure */
    pango_context_set_round_glyph_positions(engine->context, FALSE);
    cairo_font_options_destroy(options);
    engine->layout = pango_layout_new(engine->context);
    pango_layout_set_single_paragraph_mode(engine->layout, TRUE);
    pango_layout_set_auto_dir(engine->layout, FALSE);
    mprof_status status = check_fonts(engine, error);
    if (status != MPROF_OK) {
        mprof_text_engine_free(engine);
        return status;
    }
    *out = engine;
    return MPROF_OK;
}

void mprof_text_engine_free(mprof_text_engine *engine)
{
    if (!engine) {
        return;
    }
    for (int i = 0; i < engine->font_count; i++) {
        pango_font_description_free(engine->fonts[i].description);
    }
    g_object_unref(engine->layout);
    g_object_unref(engine->context);
    free(engine->family);
    free(engine);
}

const char *mprof__text_family(const mprof_text_engine *engine)
{
    return engine->family;
}

static double layout_width(mprof_text_engine *engine)
{
    PangoRectangle extents;
    pango_layout_get_extents(engine->layout, NULL, &extents);
    return (double)extents.width / PANGO_SCALE;
}

static double letter_width(mprof_text_engine *engine, struct font_slot *slot, unsigned char letter)
{
    if (slot->widths[letter] < 0) {
        char text = (char)letter;
        set_text(engine, slot, &text, 1);
        slot->widths[letter] = (float)layout_width(engine);
    }
    return (double)slot->widths[letter];
}

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* ASCII widths are added up, which is much faster than a layout for each of thousands of captions.
 * Kerning makes real text slightly narrower, never much wider. */
static double measure_width(void *data, mprof_font font, const char *text, size_t length)
{
    mprof_text_engine *engine = data;
    struct font_slot *slot = find_slot(engine, font);
    double width = 0;
    if (!is_ascii(text, length)) {
        set_text(engine, slot, text, length);
        return layout_width(engine);
    }
    for (size_t i = 0; i < length; i++) {
        width += letter_width(engine, slot, (unsigned char)text[i]);
    }
    return width;
}

/* Bytes of the longest beginning that fits; it ends between two grapheme clusters. */
static size_t longest_prefix(mprof_text_engine *engine, const char *text, double width_px)
{
    int count, index = 0;
    const PangoLogAttr *attributes = pango_layout_get_log_attrs_readonly(engine->layout, &count);
    const char *at = text;
    PangoLayoutLine *line = pango_layout_get_line_readonly(engine->layout, 0);
    for (int i = 0; i < count; i++) {
        int x;
        pango_layout_line_index_to_x(line, (int)(at - text), FALSE, &x);
        if (abs(x) > width_px * PANGO_SCALE) {
            break;
        }
        if (attributes[i].is_cursor_position) {
            index = (int)(at - text);
        }
        if (i + 1 < count) {
            do {
                at++;
            } while ((*at & 0xC0) == 0x80);
        }
    }
    return (size_t)index;
}

static size_t measure_fit(void *data, mprof_font font, const char *text, size_t length,
                          double width_px)
{
    mprof_text_engine *engine = data;
    struct font_slot *slot = find_slot(engine, font);
    if (!is_ascii(text, length)) {
        set_text(engine, slot, text, length);
        return longest_prefix(engine, text, width_px);
    }
    double width = 0;
    for (size_t i = 0; i < length; i++) {
        width += letter_width(engine, slot, (unsigned char)text[i]);
        if (width > width_px) {
            return i;
        }
    }
    return length;
}

mprof_measure mprof_text_engine_measure(mprof_text_engine *engine)
{
    return (mprof_measure){engine, measure_width, measure_fit};
}

static uint32_t first_missing(mprof_text_engine *engine, const struct font_slot *slot,
                              const char *text, size_t length)
{
    for (const char *at = text; at < text + length; at = g_utf8_next_char(at)) {
        set_text(engine, slot, at, (size_t)(g_utf8_next_char(at) - at));
        if (pango_layout_get_unknown_glyphs_count(engine->layout) > 0) {
            return g_utf8_get_char(at);
        }
    }
    return 0xFFFD; /* each character is in a font, but not their combination */
}

void mprof__text_draw(mprof_text_engine *engine, cairo_t *cairo, mprof_font font, const char *text,
                      size_t length)
{
    struct font_slot *slot = find_slot(engine, font);
    set_text(engine, slot, text, length);
    pango_cairo_show_layout_line(cairo, pango_layout_get_line_readonly(engine->layout, 0));
    if (!engine->missing && pango_layout_get_unknown_glyphs_count(engine->layout) > 0) {
        engine->missing = first_missing(engine, slot, text, length);
    }
}

uint32_t mprof__text_missing(const mprof_text_engine *engine)
{
    return engine->missing;
}
