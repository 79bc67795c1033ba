/* Measures and draws text; the only user of Pango. */
#include "text.h"

#include "draw.h"
#include "fonts.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-fontmap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_FAMILY                                                                             \
    "Inter, DejaVu Sans, Noto Sans, Liberation Sans, Cantarell, Ubuntu, Roboto, Arial, sans-serif"
#define FONT_MAX 8    /* combinations of size and weight */
#define KNOWN_MAX 256 /* texts of which the runs are kept */

struct font_slot {
    mprof_font font;
    PangoFontDescription *description;
    float widths[128]; /* of ASCII letters; negative: not yet known */
};

/* Most texts are measured before they are drawn, and names repeat. */
struct known_text {
    char *text;
    size_t length;
    const struct font_slot *slot; /* NULL: free */
    GSList *runs;                 /* of PangoGlyphItem; NULL if it needs all fonts */
    double width;
};

struct mprof_text_engine {
    char *family;
    mprof__preferred_fonts preferred;
    PangoContext *few;         /* has the preferred fonts; NULL: there are none */
    PangoContext *all;         /* has all fonts; NULL: not yet needed */
    PangoLayout *layout;       /* of the text that was laid out last; NULL: none so far */
    PangoAttrList *attributes; /* no attributes */
    struct known_text known[KNOWN_MAX];
    struct font_slot fonts[FONT_MAX];
    int font_count;
    uint32_t missing; /* the first character drawn that is in no font; 0: all were found */
};

static void free_run(void *run)
{
    pango_glyph_item_free(run);
}

static void forget_text(struct known_text *known)
{
    g_slist_free_full(known->runs, free_run);
    free(known->text);
    *known = (struct known_text){.text = NULL};
}

static void forget_texts(mprof_text_engine *engine)
{
    for (size_t i = 0; i < KNOWN_MAX; i++) {
        forget_text(&engine->known[i]);
    }
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
        forget_texts(engine);
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

/* config: the fonts; NULL: all fonts. */
static PangoContext *new_context(FcConfig *config)
{
    /* this type overrides $PANGOCAIRO_BACKEND */
    PangoFontMap *map = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    if (!map) {
        return NULL;
    }
    if (config) {
        pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(map), config);
    }
    PangoContext *context = pango_font_map_create_context(map);
    g_object_unref(map);
    /* No hinting or rounding to device pixels: positions are the same in every format. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context, options);
    pango_cairo_context_set_resolution(context, 72); /* a point is one unit of the figure */
    pango_context_set_round_glyph_positions(context, FALSE);
    cairo_font_options_destroy(options);
    return context;
}

/* Returns a layout of the text; it belongs to the engine, and changes with the next text. */
static PangoLayout *lay_out(mprof_text_engine *engine, const struct font_slot *slot,
                            const char *text, size_t length)
{
    PangoContext *context = engine->few;
    if (!mprof__preferred_fonts_suffice(&engine->preferred, text, length)) {
        if (!engine->all) {
            engine->all = new_context(NULL);
        }
        context = engine->all;
    }
    if (!engine->layout || pango_layout_get_context(engine->layout) != context) {
        g_clear_object(&engine->layout);
        engine->layout = pango_layout_new(context);
        pango_layout_set_single_paragraph_mode(engine->layout, TRUE);
        pango_layout_set_auto_dir(engine->layout, FALSE);
    }
    pango_layout_set_font_description(engine->layout, slot->description);
    pango_layout_set_text(engine->layout, text, (int)length);
    return engine->layout;
}

/* The runs of a text that the preferred fonts have. A layout gives the same glyphs, but loads the
 * outline of each to learn how high lines are. */
static GSList *shape_runs(mprof_text_engine *engine, const struct font_slot *slot, const char *text,
                          size_t length)
{
    GSList *runs = NULL;
    pango_context_set_font_description(engine->few, slot->description);
    GList *items = pango_itemize(engine->few, text, 0, (int)length, engine->attributes, NULL);
    for (GList *at = items; at; at = at->next) {
        PangoGlyphItem *run = g_slice_new0(PangoGlyphItem);
        run->item = at->data;
        run->glyphs = pango_glyph_string_new();
        pango_shape_full(text + run->item->offset, run->item->length, text, (int)length,
                         &run->item->analysis, run->glyphs);
        runs = g_slist_prepend(runs, run);
    }
    g_list_free(items);
    return g_slist_reverse(runs);
}

static double width_of_run(const PangoGlyphItem *run)
{
    return (double)pango_glyph_string_get_width(run->glyphs) / PANGO_SCALE;
}

/* A text with its width, and its runs if the preferred fonts suffice. NULL: no memory. */
static const struct known_text *know_text(mprof_text_engine *engine, const struct font_slot *slot,
                                          const char *text, size_t length)
{
    size_t hash = (size_t)(slot - engine->fonts);
    for (size_t i = 0; i < length; i++) {
        hash = hash * 31 + (unsigned char)text[i];
    }
    struct known_text *known = &engine->known[hash % KNOWN_MAX];
    if (known->slot == slot && known->length == length && memcmp(known->text, text, length) == 0) {
        return known;
    }
    forget_text(known);
    known->text = strndup(text, length);
    if (!known->text) {
        return NULL;
    }
    known->slot = slot;
    known->length = length;
    if (!mprof__preferred_fonts_suffice(&engine->preferred, text, length)) {
        PangoRectangle extents;
        pango_layout_get_extents(lay_out(engine, slot, text, length), NULL, &extents);
        known->width = (double)extents.width / PANGO_SCALE;
        return known;
    }
    known->runs = shape_runs(engine, slot, known->text, length);
    for (const GSList *run = known->runs; run; run = run->next) {
        known->width += width_of_run(run->data);
    }
    return known;
}

#define ADVICE "install one, for instance DejaVu (Debian's package fonts-dejavu-core)"

/* Every picture has numbers with units: without a font for them it would consist of empty boxes.
 * Fonts of symbols, emoji or one script only do not suffice. */
static mprof_status check_fonts(mprof_text_engine *engine, mprof_error *error)
{
    static const char letters[] = "0123456789.,:+()GMKiBms abcdefghijklmnopqrstuvwxyz";
    static const mprof_font font = {12, 0};
    PangoLayout *layout = lay_out(engine, find_slot(engine, font), letters, sizeof letters - 1);
    if (pango_layout_get_unknown_glyphs_count(layout) == 0) {
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
    if (!mprof__fonts_configure()) {
        free(engine->family);
        free(engine);
        return mprof_error_set(error, MPROF_EDRAW,
                               "cannot draw text: no font is installed; " ADVICE);
    }
    mprof__preferred_fonts_init(&engine->preferred, engine->family);
    if (engine->preferred.config) {
        engine->few = new_context(engine->preferred.config);
    } else {
        engine->all = new_context(NULL);
    }
    if (!engine->few && !engine->all) {
        mprof__preferred_fonts_dispose(&engine->preferred);
        free(engine->family);
        free(engine);
        return mprof_error_set(error, MPROF_EDRAW,
                               "cannot draw text: Pango was built without FreeType");
    }
    engine->attributes = pango_attr_list_new();
    mprof_status status = engine->few ? MPROF_OK : check_fonts(engine, error);
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
    g_clear_object(&engine->layout);
    pango_attr_list_unref(engine->attributes);
    forget_texts(engine);
    g_clear_object(&engine->few);
    g_clear_object(&engine->all);
    mprof__preferred_fonts_dispose(&engine->preferred);
    free(engine->family);
    free(engine);
}

const char *mprof__text_family(const mprof_text_engine *engine)
{
    return engine->family;
}

static double width_of(mprof_text_engine *engine, const struct font_slot *slot, const char *text,
                       size_t length)
{
    const struct known_text *known = know_text(engine, slot, text, length);
    return known ? known->width : 0;
}

static double letter_width(mprof_text_engine *engine, struct font_slot *slot, unsigned char letter)
{
    if (slot->widths[letter] < 0) {
        char text = (char)letter;
        slot->widths[letter] = (float)width_of(engine, slot, &text, 1);
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
        return width_of(engine, slot, text, length);
    }
    for (size_t i = 0; i < length; i++) {
        width += letter_width(engine, slot, (unsigned char)text[i]);
    }
    return width;
}

/* Bytes of the longest beginning that fits; it ends between two grapheme clusters. */
static size_t longest_prefix(PangoLayout *layout, const char *text, double width_px)
{
    int count, index = 0;
    const PangoLogAttr *attributes = pango_layout_get_log_attrs_readonly(layout, &count);
    const char *at = text;
    PangoLayoutLine *line = pango_layout_get_line_readonly(layout, 0);
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
        return longest_prefix(lay_out(engine, slot, text, length), text, width_px);
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
    for (const char *at = text; at < text + length; at += g_utf8_skip[(guchar)*at]) {
        size_t size = (size_t)g_utf8_skip[(guchar)*at];
        if (pango_layout_get_unknown_glyphs_count(lay_out(engine, slot, at, size)) > 0) {
            return g_utf8_get_char(at);
        }
    }
    return 0xFFFD; /* each character is in a font, but not their combination */
}

static void draw_runs(const struct known_text *known, cairo_t *cairo)
{
    double x, y;
    cairo_get_current_point(cairo, &x, &y);
    for (const GSList *run = known->runs; run; run = run->next) {
        cairo_move_to(cairo, x, y);
        pango_cairo_show_glyph_item(cairo, known->text, run->data);
        x += width_of_run(run->data);
    }
}

void mprof__text_draw(mprof_text_engine *engine, cairo_t *cairo, mprof_font font, const char *text,
                      size_t length)
{
    struct font_slot *slot = find_slot(engine, font);
    const struct known_text *known = know_text(engine, slot, text, length);
    if (known && known->runs) {
        draw_runs(known, cairo);
        return;
    }
    PangoLayout *layout = lay_out(engine, slot, text, length);
    pango_cairo_show_layout_line(cairo, pango_layout_get_line_readonly(layout, 0));
    if (!engine->missing && pango_layout_get_unknown_glyphs_count(layout) > 0) {
        engine->missing = first_missing(engine, slot, text, length);
    }
}

uint32_t mprof__text_missing(const mprof_text_engine *engine)
{
    return engine->missing;
}
