/* Cutting text to a width, where a reader would cut it. */
#include "fit_text.h"

#include "layout.h"
#include "visible_text.h"

#include <string.h>

size_t mprof__fit_text(const mprof__layout *layout, mprof_role role, char *out, size_t size,
                       const char *text, double width_px)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    size_t length = strlen(text);
    mprof_font font = mprof_role_font(role);
    if (length + sizeof ellipsis > size) {
        length = size - sizeof ellipsis;
    }
    double whole = layout->measure->width_px(layout->measure->data, font, text, length);
    if (whole <= width_px && length == strlen(text)) {
        memcpy(out, text, length + 1);
        return length;
    }
    double dots =
        layout->measure->width_px(layout->measure->data, font, ellipsis, sizeof ellipsis - 1);
    if (dots > width_px) {
        return 0;
    }
    length = layout->measure->fit(layout->measure->data, font, text, length, width_px - dots);
    while (length && text[length - 1] == ' ') {
        length--;
    }
    if (!length) {
        return 0;
    }
    bool isolated = strncmp(text, MPROF__ISOLATE, sizeof MPROF__ISOLATE - 1) == 0;
    if (length + sizeof ellipsis + sizeof MPROF__ISOLATE_END > size) {
        isolated = false;
    }
    memcpy(out, text, length);
    memcpy(out + length, ellipsis, sizeof ellipsis);
    length += sizeof ellipsis - 1;
    if (!isolated) {
        return length;
    }
    memcpy(out + length, MPROF__ISOLATE_END, sizeof MPROF__ISOLATE_END);
    return length + sizeof MPROF__ISOLATE_END - 1;
}
