/* Fills the page's template; what is no text (pictures, style, script) is written as it is. */
#include "report_pages.h"

#include "render/draw/theme.h"
#include "report_assets.h"
#include "template.h"

#include <stdio.h>
#include <string.h>

struct page {
    const mprof__report_picture *pictures;
};

static mprof_status write_text(mprof_output *output, const char *text)
{
    return mprof_output_write(output, text, strlen(text));
}

/* ---- colours ---- */

/* The tones of pictures as custom properties, and two more. */
static mprof_status write_palette(mprof_output *output, const char *selector,
                                  mprof__palette palette)
{
    static const char *const names[] = {
        [MPROF__TONE_PAPER] = "paper", [MPROF__TONE_INK] = "ink",    [MPROF__TONE_TEXT] = "text",
        [MPROF__TONE_QUIET] = "quiet", [MPROF__TONE_GREY] = "grey",  [MPROF__TONE_GRID] = "grid",
        [MPROF__TONE_RULE] = "rule",   [MPROF__TONE_ALERT] = "alert"};
    bool is_dark = palette == MPROF__PALETTE_DARK;
    mprof__looks looks = {palette, NULL};
    char text[160];
    write_text(output, selector);
    write_text(output, "{");
    for (mprof__tone tone = MPROF__TONE_PAPER; tone < MPROF__TONE_SLOT; tone++) {
        snprintf(text, sizeof text, "--%s:#%06x;", names[tone],
                 mprof__tone_colour(&looks, tone, 0));
        write_text(output, text);
    }
    for (int slot = 0; slot < MPROF__HUE_COUNT; slot++) {
        snprintf(text, sizeof text, "--c%d:#%06x;--t%d:#%06x;--l%d:#%06x;", slot,
                 mprof__tone_colour(&looks, MPROF__TONE_SLOT, slot), slot,
                 mprof__tone_colour(&looks, MPROF__TONE_TINT, slot), slot,
                 mprof__tone_colour(&looks, MPROF__TONE_LETTER, slot));
        write_text(output, text);
    }
    snprintf(text, sizeof text, "--wash:%s;--blush:%s;color-scheme:%s}\n",
             is_dark ? "#1a1f28" : "#f6f7f9", is_dark ? "#2a1d1c" : "#fdf3f0",
             is_dark ? "dark" : "light");
    return write_text(output, text);
}

/* A choice of the reader overrides the system's preference; paper is light. The pictures' own
 * colours give way to the page's. */
static mprof_status write_colours(mprof_output *output)
{
    char text[128];
    write_palette(output, ":root", MPROF__PALETTE_LIGHT);
    write_text(output, "@media screen and (prefers-color-scheme:dark){\n");
    write_palette(output, ":root:not([data-theme=light])", MPROF__PALETTE_DARK);
    write_text(output, "}\n@media screen{\n");
    write_palette(output, ":root[data-theme=dark]", MPROF__PALETTE_DARK);
    write_text(output, "}\nhtml svg.mprof{--paper:inherit;--ink:inherit;--text:inherit;--quiet:"
                       "inherit;--grey:inherit;--grid:inherit;--rule:inherit;--alert:inherit}\n");
    for (int slot = 0; slot < MPROF__HUE_COUNT; slot++) {
        snprintf(text, sizeof text,
                 "html svg.mprof .c%d{--slot:var(--c%d);--tint:var(--t%d);--letter:var(--l%d)}\n",
                 slot, slot, slot, slot);
        write_text(output, text);
    }
    return MPROF_OK;
}

/* ---- HTML ---- */

static const char *const captions[] = {
    [MPROF__PICTURE_LIVING] =
        ("Point at it for numbers; drag over a range, Enter zooms; / searches functions once the "
         "picture has the focus."),
    [MPROF__PICTURE_STILL] = "A still picture: with its numbers the page would be too large.",
    [MPROF__PICTURE_FEW_CALLS] = "A still picture: with its numbers the page would be too large.",
    [MPROF__PICTURE_WITHOUT_CALLS] =
        "A still picture without calls: with them the page would be too large.",
};

static mprof_status write_picture(const struct page *page, mprof_output *output, const char *name,
                                  const json_t *recording)
{
    json_int_t number = json_integer_value(json_object_get(recording, "number"));
    const mprof__report_picture *picture = &page->pictures[number];
    if (strcmp(name, "picture") == 0) {
        return mprof_output_write(output, picture->wide, picture->wide_size);
    }
    if (strcmp(name, "narrow") == 0) {
        return mprof_output_write(output, picture->narrow, picture->narrow_size);
    }
    return write_text(output, captions[picture->detail]);
}

static mprof_status write_part(void *data, mprof_output *output, const char *name,
                               const json_t *context, mprof_error *error)
{
    size_t size;
    (void)error;
    if (strcmp(name, "colours") == 0) {
        return write_colours(output);
    }
    if (strcmp(name, "style") == 0) {
        return mprof_output_write(output, mprof__page_css, sizeof mprof__page_css - 1);
    }
    if (strcmp(name, "script") == 0) {
        return mprof_output_write(output, mprof__page_js, sizeof mprof__page_js - 1);
    }
    if (strcmp(name, "pictures-script") == 0) {
        const char *script = mprof_svg_script(&size);
        return mprof_output_write(output, script, size);
    }
    return write_picture(data, output, name, context);
}

mprof_status mprof__report_write_html(mprof_output *output, const json_t *report,
                                      const mprof__view_options *options,
                                      const mprof__report_picture *pictures, mprof_error *error)
{
    struct page page = {pictures};
    mprof__template filled = {"page.html", (const char *)mprof__page_html, mprof__escape_html,
                              write_part, &page};
    json_t *view = mprof__report_view(report, options);
    if (!view) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof_status status = mprof__template_fill(&filled, view, output, error);
    json_decref(view);
    return status;
}

/* ---- JSON ---- */

static int write_piece(const char *bytes, size_t size, void *data)
{
    return mprof_output_write(data, bytes, size) == MPROF_OK ? 0 : -1;
}

/* ASCII only: whatever a name contains, no terminal or viewer obeys it. */
mprof_status mprof__report_write_json(mprof_output *output, const json_t *report,
                                      mprof_error *error)
{
    if (json_dump_callback(report, write_piece, output,
                           JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) != 0) {
        mprof_status status = mprof_output_write(output, "", 0);
        return status != MPROF_OK ? status : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    return write_text(output, "\n");
}
