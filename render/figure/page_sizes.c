/* A page of 640 x 300 px or more has everything. Smaller ones are for articles, mails and pages of
 * many pictures: they are read as a whole, so that a number more is worth less than a clear curve.
 */
#include "page_sizes.h"

#include <math.h>

#define USUAL_WIDTH_PX 640.0
#define USUAL_HEIGHT_PX 300.0
#define TITLED_WIDTH_PX 300.0
#define TITLED_HEIGHT_PX 180.0
#define KEYED_HEIGHT_PX 140.0
#define BARS_SHARE 0.22

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

mprof__page_sizes mprof__page_sizes_of(double width_px, double height_px)
{
    if (width_px < USUAL_WIDTH_PX || height_px < USUAL_HEIGHT_PX) {
        return small_page(width_px, height_px);
    }
    return (mprof__page_sizes){
        .has_title = true,
        .has_facts = true,
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
