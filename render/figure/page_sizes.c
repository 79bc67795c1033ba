/* A page of 640 x 300 px or more has everything. Smaller ones are for articles, mails and pages of
 * many pictures: there a clear curve is worth more than another number.
 */
#include "page_sizes.h"

#include <mprof/figure.h>

#include <math.h>

#define USUAL_WIDTH_PX 640.0
#define USUAL_HEIGHT_PX 300.0
#define TITLED_WIDTH_PX 300.0
#define TITLED_HEIGHT_PX 180.0
#define KEYED_HEIGHT_PX 140.0
#define BARS_SHARE 0.22
#define BARE_HEAD_PX 4.0
#define BARE_MARGIN_PX 8.0
#define BARE_FOOT_PX 5.0
#define BARE_HEADROOM_PX 6.0
#define BRACKETS_PX 26.0 /* a bracket and its name */

static mprof__page_sizes small_page(double width_px, double height_px)
{
    bool titled = width_px >= TITLED_WIDTH_PX && height_px >= TITLED_HEIGHT_PX;
    return (mprof__page_sizes){
        .small = true,
        .has_title = titled,
        .title_y = 18,
        .head = titled ? 25 : 4,
        .headroom = 22,
        .tick_row = 16,
        .tick_y = 13,
        .tick_gap = 6,
        .gutter_most = width_px * 0.2 + 20,
        .key = height_px >= KEYED_HEIGHT_PX ? 14 : 0,
        .margin = width_px >= TITLED_WIDTH_PX ? 8 : 4,
        .foot = height_px >= KEYED_HEIGHT_PX ? 5 : 3,
        .bars_most = height_px * BARS_SHARE,
        .lanes_gap = 3,
        .plot_fair = height_px * 0.35,
        .plot_least = 16,
    };
}

static mprof__page_sizes whole_page(double width_px, double height_px)
{
    if (width_px < USUAL_WIDTH_PX || height_px < USUAL_HEIGHT_PX) {
        return small_page(width_px, height_px);
    }
    return (mprof__page_sizes){
        .has_title = true,
        .has_facts = true,
        .has_brackets = true,
        .title_y = 33,
        .facts_y = 53,
        .head = 66,
        .headroom = 40,
        .tick_row = 22,
        .tick_y = 17,
        .tick_gap = 10,
        .gutter_most = INFINITY,
        .key = 18,
        .margin = 24,
        .foot = 16,
        .bars_most = height_px * BARS_SHARE,
        .lanes_gap = 10,
        .plot_fair = 100,
        .plot_least = 50,
    };
}

/* What is left moves up. */
static void leave_out_heading(mprof__page_sizes *sizes, bool title, bool facts)
{
    bool had_title = sizes->has_title, had_facts = sizes->has_facts;
    double line = sizes->facts_y - sizes->title_y;
    sizes->has_title = had_title && !title;
    sizes->has_facts = had_facts && !facts;
    if (had_title && title && sizes->has_facts) {
        sizes->facts_y = sizes->title_y;
    }
    if (!sizes->has_title && !sizes->has_facts) {
        sizes->head = BARE_HEAD_PX;
    } else if (had_facts && (title || facts)) {
        sizes->head -= line;
    }
}

mprof__page_sizes mprof__page_sizes_of(double width_px, double height_px, unsigned without)
{
    mprof__page_sizes sizes = whole_page(width_px, height_px);
    leave_out_heading(&sizes, without & MPROF_PART_TITLE, without & MPROF_PART_FACTS);
    if (without & MPROF_PART_LEGEND) {
        sizes.key = 0;
    }
    if (without & MPROF_PART_PEAK) {
        sizes.headroom = fmin(sizes.headroom, sizes.has_brackets ? BRACKETS_PX : BARE_HEADROOM_PX);
    }
    sizes.has_brackets = sizes.has_brackets && !(without & MPROF_PART_BRACKETS);
    if (without == MPROF_PARTS_ALL) {
        sizes.headroom = fmin(sizes.headroom, BARE_HEADROOM_PX);
        sizes.margin = fmin(sizes.margin, BARE_MARGIN_PX);
        sizes.foot = fmin(sizes.foot, BARE_FOOT_PX);
    }
    return sizes;
}
