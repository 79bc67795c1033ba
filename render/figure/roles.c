/* One table of the roles' names and typography; the theme has their colours and line widths. */
#include "display_list.h"

static const struct {
    const char *name;
    mprof_font font;
    double small_px; /* size on a small page; 0: the same */
} roles[MPROF_ROLE_COUNT] = {
    [MPROF_ROLE_GRID] = {"grid", {0, 0}, 0},
    [MPROF_ROLE_AXIS] = {"axis", {0, 0}, 0},
    [MPROF_ROLE_TICK] = {"tick", {11, 0}, 10},
    [MPROF_ROLE_TITLE] = {"title", {17, 1}, 13},
    [MPROF_ROLE_FACTS] = {"facts", {12, 0}, 10},
    [MPROF_ROLE_AREA] = {"area", {0, 0}, 0},
    [MPROF_ROLE_CURVE] = {"curve", {0, 0}, 0},
    [MPROF_ROLE_CURVE_FINE] = {"curve-fine", {0, 0}, 0},
    [MPROF_ROLE_SAMPLE] = {"sample", {0, 0}, 0},
    [MPROF_ROLE_CHILD] = {"child", {0, 0}, 0},
    [MPROF_ROLE_CHILD_SAMPLE] = {"child-sample", {0, 0}, 0},
    [MPROF_ROLE_CHILD_NAME] = {"child-name", {11, 0}, 10},
    [MPROF_ROLE_TOTAL] = {"total", {0, 0}, 0},
    [MPROF_ROLE_LAYER] = {"layer", {0, 0}, 0},
    [MPROF_ROLE_PEAK_PART] = {"peak-part", {0, 0}, 0},
    [MPROF_ROLE_PEAK_PART_EDGE] = {"peak-part-edge", {0, 0}, 0},
    [MPROF_ROLE_LEADER] = {"leader", {0, 0}, 0},
    [MPROF_ROLE_KIND] = {"kind", {0, 0}, 0},
    [MPROF_ROLE_KIND_SAMPLE] = {"kind-sample", {0, 0}, 0},
    [MPROF_ROLE_KIND_NAME] = {"kind-name", {11, 1}, 10},
    [MPROF_ROLE_CONTROL_GROUP] = {"control-group", {0, 0}, 0},
    [MPROF_ROLE_CONTROL_GROUP_NAME] = {"control-group-name", {11, 0}, 10},
    [MPROF_ROLE_LIMIT] = {"limit", {0, 0}, 0},
    [MPROF_ROLE_LIMIT_NAME] = {"limit-name", {11, 1}, 10},
    [MPROF_ROLE_SLOPE] = {"slope", {0, 0}, 0},
    [MPROF_ROLE_PEAK] = {"peak", {0, 0}, 0},
    [MPROF_ROLE_PEAK_DOT] = {"peak-dot", {0, 0}, 0},
    [MPROF_ROLE_PEAK_NAME] = {"peak-name", {12, 1}, 11},
    [MPROF_ROLE_DEATH] = {"death", {0, 0}, 0},
    [MPROF_ROLE_DEATH_NAME] = {"death-name", {11, 1}, 10},
    [MPROF_ROLE_BRACKET] = {"bracket", {0, 0}, 0},
    [MPROF_ROLE_BRACKET_NAME] = {"bracket-name", {11, 0}, 10},
    [MPROF_ROLE_NOTE_LIMIT] = {"note-limit", {0, 0}, 0},
    [MPROF_ROLE_NOTE_AREA] = {"note-area", {0, 0}, 0},
    [MPROF_ROLE_NOTE_LINE] = {"note-line", {0, 0}, 0},
    [MPROF_ROLE_NOTE_MARK] = {"note-mark", {0, 0}, 0},
    [MPROF_ROLE_NOTE_NAME] = {"note-name", {11, 0}, 10},
    [MPROF_ROLE_RUG] = {"rug", {0, 0}, 0},
    [MPROF_ROLE_LANE_BAR] = {"lane-bar", {0, 0}, 0},
    [MPROF_ROLE_AT_ONCE] = {"at-once", {0, 0}, 0},
    [MPROF_ROLE_STRIP] = {"strip", {0, 0}, 0},
    [MPROF_ROLE_STRIP_AREA] = {"strip-area", {0, 0}, 0},
    [MPROF_ROLE_DENSITY] = {"density", {0, 0}, 0},
    [MPROF_ROLE_DENSITY_NAME] = {"density-name", {11, 0}, 10},
    [MPROF_ROLE_WHOLE] = {"whole", {0, 0}, 0},
    [MPROF_ROLE_BOX] = {"box", {0, 0}, 0},
    [MPROF_ROLE_BOX_FINE] = {"box-fine", {0, 0}, 0},
    [MPROF_ROLE_BOX_EDGE] = {"box-edge", {0, 0}, 0},
    [MPROF_ROLE_BOX_OPEN] = {"box-open", {0, 0}, 0},
    [MPROF_ROLE_BOX_NAME] = {"box-name", {11, 0}, 10},
    [MPROF_ROLE_LANE_RULE] = {"lane-rule", {0, 0}, 0},
    [MPROF_ROLE_LANE_NAME] = {"lane-name", {11, 0}, 10},
    [MPROF_ROLE_LANE_GROUP] = {"lane-group", {11, 1}, 10},
    [MPROF_ROLE_SWATCH] = {"swatch", {0, 0}, 0},
    [MPROF_ROLE_SWATCH_LINE] = {"swatch-line", {0, 0}, 0},
    [MPROF_ROLE_LEGEND_RULE] = {"legend-rule", {0, 0}, 0},
    [MPROF_ROLE_LEGEND_HEAD] = {"legend-head", {11, 0}, 10},
    [MPROF_ROLE_LEGEND_NAME] = {"legend-name", {12, 0}, 11},
    [MPROF_ROLE_LEGEND_CELL] = {"legend-cell", {12, 0}, 11},
    [MPROF_ROLE_LEGEND_MORE] = {"legend-more", {11, 0}, 10},
    [MPROF_ROLE_DIFFERENCE] = {"difference", {0, 0}, 0},
    [MPROF_ROLE_BAND] = {"band", {0, 0}, 0},
    [MPROF_ROLE_BAND_INNER] = {"band-inner", {0, 0}, 0},
    [MPROF_ROLE_BAND_EDGE] = {"band-edge", {0, 0}, 0},
    [MPROF_ROLE_WORST] = {"worst", {0, 0}, 0},
    [MPROF_ROLE_MEMBER] = {"member", {0, 0}, 0},
    [MPROF_ROLE_MEMBER_WORST] = {"member-worst", {0, 0}, 0},
    [MPROF_ROLE_MEMBER_MEDIAN] = {"member-median", {0, 0}, 0},
    [MPROF_ROLE_MEMBER_FIELD] = {"member-field", {0, 0}, 0},
    [MPROF_ROLE_MEMBER_NAME] = {"member-name", {10, 0}, 0},
    [MPROF_ROLE_MEMBER_PEAK] = {"member-peak", {10, 0}, 0},
    [MPROF_ROLE_MEMBER_NAME_WORST] = {"member-name-worst", {10, 1}, 0},
    [MPROF_ROLE_MEMBER_PEAK_WORST] = {"member-peak-worst", {10, 1}, 0},
    [MPROF_ROLE_MEMBER_END] = {"member-end", {0, 0}, 0},
    [MPROF_ROLE_CELLS] = {"cells", {0, 0}, 0},
    [MPROF_ROLE_BOX_RELEASE] = {"box-release", {0, 0}, 0},
    [MPROF_ROLE_BOX_OWN] = {"box-own", {0, 0}, 0},
    [MPROF_ROLE_BOX_ALL] = {"box-all", {0, 0}, 0},
    [MPROF_ROLE_BOX_WING] = {"box-wing", {0, 0}, 0},
    [MPROF_ROLE_PEAK_TICK] = {"peak-tick", {0, 0}, 0},
    [MPROF_ROLE_MEMBER_AREA] = {"member-area", {0, 0}, 0},
    [MPROF_ROLE_MEMBER_AREA_WORST] = {"member-area-worst", {0, 0}, 0},
    [MPROF_ROLE_MEMBER_LINE] = {"member-line", {0, 0}, 0},
    [MPROF_ROLE_MEMBER_LINE_WORST] = {"member-line-worst", {0, 0}, 0},
};

const char *mprof_role_name(mprof_role role)
{
    return (unsigned)role < MPROF_ROLE_COUNT ? roles[role].name : "";
}

mprof_font mprof__role_font(mprof_role role, bool small)
{
    mprof_role known = (unsigned)role < MPROF_ROLE_COUNT ? role : MPROF_ROLE_TICK;
    mprof_font font = roles[known].font;
    if (small && roles[known].small_px > 0) {
        font.size_px = roles[known].small_px;
    }
    return font;
}

mprof_font mprof_role_font(mprof_role role)
{
    return mprof__role_font(role, false);
}
