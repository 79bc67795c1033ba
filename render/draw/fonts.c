/* Finding fonts takes most of the time of a small picture. So fontconfig gets a minimal
 * configuration: the usual font directories and caches, without the about fifty rule files of a
 * distribution. FONTCONFIG_FILE overrides it. And since Pango sorts all fonts for each size and
 * weight, text that the preferred fonts have gets a configuration of these alone. */
#include "fonts.h"

#include <dlfcn.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CACHES                                                                                     \
    "<cachedir>/var/cache/fontconfig</cachedir><cachedir prefix=\"xdg\">fontconfig</cachedir>"

#define HEAD "<?xml version=\"1.0\"?><fontconfig>"

static const char all_fonts[] =
    "<dir>/usr/share/fonts</dir><dir>/usr/local/share/fonts</dir>"
    "<dir prefix=\"xdg\">fonts</dir><dir>~/.fonts</dir>" CACHES
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

static bool has_own_configuration(void)
{
    return getenv("FONTCONFIG_FILE") || getenv("FONTCONFIG_PATH") || getenv("FONTCONFIG_SYSROOT");
}

/* The fonts of a wheel: in the folder `fonts` next to this program or library. */
static void add_own_fonts(GString *config)
{
    Dl_info own;
    if (dladdr(all_fonts, &own) == 0 || !own.dli_fname || own.dli_fname[0] != '/') {
        return;
    }
    char *folder = g_path_get_dirname(own.dli_fname);
    char *fonts = g_build_filename(folder, "fonts", NULL);
    if (g_file_test(fonts, G_FILE_TEST_IS_DIR)) {
        char *element = g_markup_printf_escaped("<dir>%s</dir>", fonts);
        g_string_append(config, element);
        g_free(element);
    }
    g_free(fonts);
    g_free(folder);
}

/* A configuration with its fonts, read from fontconfig's caches. NULL: it has no fonts. */
static FcConfig *load_config(const char *text)
{
    FcConfig *config = FcConfigCreate();
    if (!config) {
        return NULL;
    }
    if (FcConfigParseAndLoadFromMemory(config, (const FcChar8 *)text, FcTrue) &&
        FcConfigBuildFonts(config)) {
        const FcFontSet *fonts = FcConfigGetFonts(config, FcSetSystem);
        if (fonts && fonts->nfont > 0) {
            return config;
        }
    }
    FcConfigDestroy(config);
    return NULL;
}

/* Once per process: replacing the current configuration frees fonts that an engine of another
 * thread may be choosing from. */
bool mprof__fonts_configure(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static bool is_configured;
    pthread_mutex_lock(&mutex);
    if (!is_configured && !has_own_configuration()) {
        GString *text = g_string_new(HEAD);
        add_own_fonts(text);
        g_string_append(text, all_fonts);
        FcConfig *config = load_config(text->str);
        g_string_free(text, TRUE);
        if (config) {
            is_configured = FcConfigSetCurrent(config);
            FcConfigDestroy(config); /* fontconfig holds its own reference */
        }
    }
    const FcFontSet *fonts = FcConfigGetFonts(NULL, FcSetSystem);
    bool has_fonts = fonts && fonts->nfont > 0;
    pthread_mutex_unlock(&mutex);
    return has_fonts;
}

/* The same query as Pango's. */
static FcPattern *choose_font(char *const *families, int weight)
{
    FcPattern *wanted = FcPatternCreate();
    FcResult result;
    if (!wanted) {
        return NULL;
    }
    for (size_t i = 0; families[i]; i++) {
        FcPatternAddString(wanted, FC_FAMILY, (const FcChar8 *)g_strstrip(families[i]));
    }
    FcPatternAddInteger(wanted, FC_WEIGHT, weight);
    FcPatternAddInteger(wanted, FC_SLANT, FC_SLANT_ROMAN);
    FcPatternAddInteger(wanted, FC_WIDTH, FC_WIDTH_NORMAL);
    FcPatternAddBool(wanted, FC_VARIABLE, FcDontCare);
    FcConfigSubstitute(NULL, wanted, FcMatchPattern);
    FcDefaultSubstitute(wanted);
    FcPattern *font = FcFontMatch(NULL, wanted, &result);
    FcPatternDestroy(wanted);
    return font;
}

/* Pango passes over fonts of other formats; bitmaps need the rule of all_fonts. */
static bool is_plain(const FcPattern *font)
{
    FcChar8 *format;
    FcBool outline;
    return FcPatternGetString(font, FC_FONTFORMAT, 0, &format) == FcResultMatch &&
           (strcmp((char *)format, "TrueType") == 0 || strcmp((char *)format, "CFF") == 0) &&
           FcPatternGetBool(font, FC_OUTLINE, 0, &outline) == FcResultMatch && outline;
}

/* Appends an element with the name of the font's file, or of its folder. */
static void add_file(GString *config, const FcPattern *font, const char *element, bool folder)
{
    FcChar8 *file;
    if (FcPatternGetString(font, FC_FILE, 0, &file) == FcResultMatch) {
        char *name = folder ? g_path_get_dirname((char *)file) : g_strdup((char *)file);
        char *escaped = g_markup_escape_text(name, -1);
        g_string_append_printf(config, "<%s>%s</%s>", element, escaped, element);
        g_free(escaped);
        g_free(name);
    }
}

static bool has_letter(const mprof__preferred_fonts *preferred, gunichar letter)
{
    for (size_t i = 0; i < MPROF__WEIGHT_COUNT; i++) {
        FcCharSet *letters;
        if (FcPatternGetCharSet(preferred->fonts[i], FC_CHARSET, 0, &letters) != FcResultMatch ||
            !FcCharSetHasChar(letters, letter)) {
            return false;
        }
    }
    return true;
}

void mprof__preferred_fonts_init(mprof__preferred_fonts *preferred, const char *family)
{
    static const int weights[MPROF__WEIGHT_COUNT] = {FC_WEIGHT_NORMAL, FC_WEIGHT_DEMIBOLD};
    *preferred = (mprof__preferred_fonts){.config = NULL};
    if (has_own_configuration()) {
        return; /* its rules may depend on all fonts */
    }
    char **families = g_strsplit(family, ",", -1);
    bool good = true;
    for (size_t i = 0; good && i < MPROF__WEIGHT_COUNT; i++) {
        preferred->fonts[i] = choose_font(families, weights[i]);
        good = preferred->fonts[i] && is_plain(preferred->fonts[i]);
    }
    g_strfreev(families);
    for (gunichar letter = ' '; good && letter <= '~'; letter++) {
        good = has_letter(preferred, letter);
    }
    if (!good) {
        return;
    }
    GString *config = g_string_new(HEAD CACHES);
    for (size_t i = 0; i < MPROF__WEIGHT_COUNT; i++) {
        add_file(config, preferred->fonts[i], "dir", true);
    }
    g_string_append(config, "<selectfont><acceptfont>");
    for (size_t i = 0; i < MPROF__WEIGHT_COUNT; i++) {
        add_file(config, preferred->fonts[i], "glob", false);
    }
    g_string_append(config, "</acceptfont><rejectfont><glob>*</glob></rejectfont></selectfont>"
                            "</fontconfig>");
    preferred->config = load_config(config->str);
    g_string_free(config, TRUE);
}

void mprof__preferred_fonts_dispose(mprof__preferred_fonts *preferred)
{
    for (size_t i = 0; i < MPROF__WEIGHT_COUNT; i++) {
        if (preferred->fonts[i]) {
            FcPatternDestroy(preferred->fonts[i]);
        }
    }
    if (preferred->config) {
        FcConfigDestroy(preferred->config);
    }
}

/* Letters of scripts that are written one by one from left to right, and common signs. Others may
 * join, turn, or prefer another font, as emoji do. */
static bool is_simple(gunichar letter)
{
    return letter < 0x0300 || (letter >= 0x0370 && letter < 0x0530) ||
           (letter >= 0x2010 && letter < 0x2028) || (letter >= 0x2030 && letter < 0x203C) ||
           (letter >= 0x2190 && letter < 0x2300);
}

bool mprof__preferred_fonts_suffice(const mprof__preferred_fonts *preferred, const char *text,
                                    size_t length)
{
    if (!preferred->config) {
        return false;
    }
    for (const char *at = text; at < text + length; at += g_utf8_skip[(guchar)*at]) {
        gunichar letter = g_utf8_get_char(at);
        if (!is_simple(letter) || (letter >= 0x80 && !has_letter(preferred, letter))) {
            return false;
        }
    }
    return true;
}
