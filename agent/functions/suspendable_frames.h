/* Generators, coroutines and async generators whose steps are events of their code. Each has one
 * span, from its first step to its end. */
#ifndef MPROF_AGENT_SUSPENDABLE_FRAMES_H
#define MPROF_AGENT_SUSPENDABLE_FRAMES_H

#include "agent/events/span.h"
#include "agent/python_api.h"

/* false with an exception. */
bool mprof__suspendable_frames_setup(void);

/* Records what a function has just returned, a generator or the like, under this name. Leaves no
 * exception. */
void mprof__suspendable_frame_watch(PyObject *generator, mprof__name *name);

/* These are of the frame that runs now, during an event of its code. */

/* `unseen`: the name for a frame whose creation was not seen; NULL: it is not recorded. */
void mprof__suspendable_frame_begin(mprof__name *unseen);
void mprof__suspendable_frame_suspend(void);
void mprof__suspendable_frame_resume(void);
void mprof__suspendable_frame_end(bool by_exception);

/* Ends the spans of frames that have been deallocated since the last call. Keeps the current
 * exception. */
void mprof__suspendable_frames_settle(void);

/* The interpreter ends: from now on frames are deallocated without events. */
void mprof__suspendable_frames_finalise(void);

/* Forgets all frames, without ends of their spans. */
void mprof__suspendable_frames_release_all(void);

#endif
