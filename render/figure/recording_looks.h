/* What distinguishes several recordings in one picture. Private to the folder. */
#ifndef MPROF_RENDER_RECORDING_LOOKS_H
#define MPROF_RENDER_RECORDING_LOOKS_H

#include "layout.h"

/* More recordings than this are a crowd: no colour distinguishes them. */
#define MPROF__RECORDINGS_MAX 8

/* Sets colours of the recordings, layout->crowd, and the axis of shares. Needs the calls that are
 * shown. MPROF_ENOMEM. */
mprof_status mprof__choose_recording_looks(mprof__layout *layout);

/* Puts recordings whose durations are very unlike on an axis of per cent, if nothing is against it.
 * MPROF_ENOMEM. */
mprof_status mprof__share_unlike_durations(mprof__layout *layout);

#endif
