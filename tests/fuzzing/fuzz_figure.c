/* Any bytes as a recording, laid out in any way: whatever was read, the figure lies on its page, in
 * finite numbers and in text that every format may hold, and becomes well-formed XML. The first two
 * bytes choose the options. */
#include "render/draw/draw.h"
#include "tests/unit/render_measure.h"

#include <assert.h>
#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALL_KINDS ((1U << MPROF_KIND_COUNT) - 1)
#define RUNS_MAX 5

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static mprof_figure_options options_of(unsigned choice)
{
    static const char *const patterns[] = {NULL, "a", "*.f*", "m."};
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = choice & 1;
    options.slope = choice >> 1 & 1;
    options.stack = choice >> 2 & 1;
    options.order = choice >> 3 & 1 ? MPROF_BY_FUNCTION : MPROF_BY_PROCESS;
    options.states = choice >> 4 & 1;
    options.functions = (choice >> 5 & 7) != 0;
    options.function = patterns[choice >> 8 & 3];
    options.min_duration_s = choice >> 10 & 1 ? 0.5 : 0;
    if (choice >> 11 & 1) {
        options.window_s[0] = 0.25;
        options.window_s[1] = 2;
    }
    options.kinds = choice >> 14 & 1 ? ALL_KINDS : 0;
    options.group = choice >> 14 & choice >> 15 & 1;
    if (choice >> 12 & 1) {
        options.width_px = 300;
        options.height_px = 260;
        options.grow = 0;
    }
    return options;
}

/* Control characters and what turns the reading direction, but for the isolates that are ours. */
static void check_text(const char *text, size_t length)
{
    assert(g_utf8_validate(text, (gssize)length, NULL));
    for (const char *at = text; at < text + length; at += g_utf8_skip[(guchar)*at]) {
        gunichar code = g_utf8_get_char(at);
        assert(!g_unichar_iscntrl(code) && (code & 0xFFFE) != 0xFFFE);
        assert(code != 0x61C && code != 0x200E && code != 0x200F);
        assert((code < 0x2028 || code > 0x202E) && code != 0x2066 && code != 0x2067);
    }
}

/* As XML has it: a parser finds its way, and there are none but its characters. */
static void check_xml(const char *text, size_t length)
{
    static const GMarkupParser nothing;
    GError *error = NULL;
    GMarkupParseContext *parser = g_markup_parse_context_new(
        &nothing, G_MARKUP_TREAT_CDATA_AS_TEXT | G_MARKUP_PREFIX_ERROR_POSITION, NULL, NULL);
    if (!g_markup_parse_context_parse(parser, text, (gssize)length, &error) ||
        !g_markup_parse_context_end_parse(parser, &error)) {
        fprintf(stderr, "%s\n", error->message);
        abort();
    }
    g_markup_parse_context_free(parser);
    for (const char *at = text; at < text + length; at += g_utf8_skip[(guchar)*at]) {
        gunichar code = g_utf8_get_char(at);
        assert((code >= 0x20 || code == '\n') && (code & 0xFFFE) != 0xFFFE);
    }
}

static void check_svg(const mprof_figure *figure, int still)
{
    static mprof_text_engine *engine; /* fonts are looked for once */
    mprof_draw_options options = MPROF_DRAW_OPTIONS_INIT;
    options.format = MPROF_FORMAT_SVG;
    options.still = still;
    mprof_output *output;
    int fd = memfd_create("picture", MFD_CLOEXEC);
    assert(fd >= 0 && (engine || mprof_text_engine_new(&engine, NULL, NULL) == MPROF_OK));
    assert(mprof__output_open_fd(&output, fd, "picture", NULL) == MPROF_OK);
    assert(mprof_figure_draw(figure, &options, engine, output, NULL) == MPROF_OK);
    assert(mprof_output_commit(output, NULL) == MPROF_OK);
    mprof_output_free(output);
    off_t size = lseek(fd, 0, SEEK_END);
    assert(size > 0);
    char *text = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert(text != MAP_FAILED);
    check_xml(text, (size_t)size);
    munmap(text, (size_t)size);
    close(fd);
}

static void check_page(const mprof_figure *figure)
{
    size_t count, point_count, text_size, about_count;
    const mprof_point *points = mprof_figure_points(figure, &point_count);
    const char *text = mprof_figure_text(figure, &text_size);
    const mprof_item *items = mprof_figure_items(figure, &count);
    float width = (float)mprof_figure_width_px(figure),
          height = (float)mprof_figure_height_px(figure);
    mprof_figure_abouts(figure, &about_count);
    check_text(text, text_size);
    check_text(mprof_figure_title(figure), strlen(mprof_figure_title(figure)));
    check_text(mprof_figure_facts(figure), strlen(mprof_figure_facts(figure)));
    check_text(mprof_figure_source(figure), strlen(mprof_figure_source(figure)));
    for (size_t i = 0; i < count; i++) {
        const mprof_item *item = &items[i];
        assert(item->about == MPROF_ABOUT_NONE || item->about < about_count);
        assert(isfinite(item->x) && isfinite(item->y));
        if (item->shape == MPROF_SHAPE_TEXT) {
            assert(item->first + item->count <= text_size);
            assert(item->y >= 0 && item->y <= height);
        } else if (item->shape == MPROF_SHAPE_LINE || item->shape == MPROF_SHAPE_AREA) {
            assert(item->first + item->count <= point_count);
            for (uint32_t p = item->first; p < item->first + item->count; p++) {
                assert(points[p].x >= 0 && points[p].x <= width && points[p].y >= 0 &&
                       points[p].y <= height);
            }
        } else {
            assert(item->width > 0 && item->height > 0);
            assert(item->x >= 0 && item->x <= width && item->y >= 0 && item->y <= height);
        }
    }
}

static void check_layout(const mprof_profile *const *profiles, size_t count,
                         const mprof_figure_options *options, const mprof_measure *measure)
{
    mprof_figure *figure = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    if (mprof_figure_layout(&figure, profiles, count, options, measure, &error) == MPROF_OK) {
        check_page(figure);
        check_svg(figure, !options->states);
    } else {
        assert(!figure && *error.message);
    }
    mprof_figure_free(figure);
}

/* Loads the first runs of a file into profiles[RUNS_MAX]; on one axis a window counts from the
 * start of the first. Returns how many have samples in it. */
static size_t load_runs(mprof_profile **profiles, double *start_s, mprof_source *source,
                        const mprof_run *runs, size_t count, mprof_load_options load)
{
    const double window_s[2] = {load.window_s[0], load.window_s[1]};
    size_t loaded = 0;
    for (size_t i = 0; i < count && i < RUNS_MAX; i++) {
        load.run = &runs[i];
        load.window_s[0] = load.window_s[1] = 0;
        if (mprof_profile_load(&profiles[loaded], source, &load, NULL) != MPROF_OK) {
            continue;
        }
        double own_s = mprof_profile_start_s(profiles[loaded]);
        *start_s = i == 0 || own_s < *start_s ? own_s : *start_s;
        loaded++;
    }
    for (size_t i = 0, all = loaded; i < all && window_s[1] > 0; i++) {
        mprof_profile *whole = profiles[i];
        double shift_s = mprof_profile_start_s(whole) - *start_s;
        load.run = mprof_profile_run(whole);
        load.window_s[0] = window_s[0] - shift_s;
        load.window_s[1] = window_s[1] - shift_s;
        loaded = i == 0 ? 0 : loaded;
        if (mprof_profile_load(&profiles[loaded], source, &load, NULL) == MPROF_OK) {
            loaded++;
        }
        mprof_profile_free(whole);
    }
    return loaded;
}

/* The runs over each other, and on one axis. */
static void check_runs(mprof_source *source, mprof_load_options load, mprof_figure_options options,
                       const mprof_measure *measure)
{
    mprof_profile *profiles[RUNS_MAX];
    mprof_runs *runs = NULL;
    size_t count;
    assert(mprof_source_rewind(source, NULL) == MPROF_OK);
    assert(mprof_runs_read(&runs, source, NULL) == MPROF_OK);
    const mprof_run *list = mprof_runs_list(runs, &count);
    for (options.as_one = 0; options.as_one < 2; options.as_one++) {
        size_t loaded = 0;
        options.origin_s = 0;
        if (options.as_one) {
            memcpy(load.window_s, options.window_s, sizeof load.window_s);
            loaded = load_runs(profiles, &options.origin_s, source, list, count, load);
        }
        for (size_t i = 0; i < count && i < RUNS_MAX && !options.as_one; i++) {
            load.run = &list[i];
            loaded += mprof_profile_load(&profiles[loaded], source, &load, NULL) == MPROF_OK;
        }
        if (loaded > 0) {
            check_layout((const mprof_profile *const *)profiles, loaded, &options, measure);
        }
        while (loaded > 0) {
            mprof_profile_free(profiles[--loaded]);
        }
    }
    mprof_runs_free(runs);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    mprof_source *source = NULL;
    mprof_profile *profile = NULL;
    if (size < 2 ||
        mprof_source_open_memory(&source, bytes + 2, size - 2, "input", NULL) != MPROF_OK) {
        return 0;
    }
    /* names are cut by their bytes only where their letters take little room */
    static double narrow_em = 0.15;
    const mprof_measure narrow = {&narrow_em, measure_fixed, fit_fixed};
    unsigned choice = (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
    mprof_figure_options options = options_of(choice);
    mprof_load_options load;
    mprof_load_options_init(&load, sizeof load);
    load.kinds = options.kinds;
    if (choice >> 15 & 1) {
        load.max_points = 64; /* everything becomes thin */
    }
    if (choice >> 13 & 1) {
        memcpy(load.window_s, options.window_s, sizeof load.window_s);
    }
    if (mprof_profile_load(&profile, source, &load, NULL) == MPROF_OK) {
        const mprof_profile *one = profile;
        const mprof_measure *measure = size % 2 ? &narrow : &fixed_measure;
        check_layout(&one, 1, &options, measure);
        mprof_figure_options many = options;
        many.form = (mprof_form)(MPROF_FORM_BAND + choice % 3);
        many.members = (mprof_member_kind)(choice / 3 % (MPROF_MEMBERS_BY_COMMAND + 1));
        many.stack = many.slope = 0;
        check_layout(&one, 1, &many, measure);
        if (mprof_profile_run_count(profile) > 1) {
            check_runs(source, load, options, measure);
        }
    }
    mprof_profile_free(profile);
    mprof_source_free(source);
    return 0;
}
