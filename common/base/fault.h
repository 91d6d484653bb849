/* fault.h - named points at which a process can be made to die, stop, wait or fail.
 *
 * Only builds with -DPARLEY_FAULTS (make VARIANT=faults) have them; in all others a
 * point is nothing, and a start with PARLEY_FAULT set is refused: a fault that was
 * asked for is never passed over in silence. What a point means stands in
 * docs/reliability.md, which `parley --fault-points` of that build prints.
 *
 *   PARLEY_FAULT=POINT=ACTION[:ARG][@N|%P],...
 *
 * ACTION is kill (SIGKILL), stop (SIGSTOP), delay:MS, fail or cut; the last two are
 * carried out by the point's own site, and only some have them. @N: at the Nth time the
 * point is passed, once (@1 when left out); %P: each time, with P percent chance, drawn
 * from PARLEY_FAULT_SEED. Before it acts, a fault writes "fault POINT ACTION" to stderr
 * and appends "POINT ACTION US" (when, wall clock) to the file PARLEY_FAULT_LOG, so
 * that who asked can count.
 */
#ifndef PARLEY_FAULT_H
#define PARLEY_FAULT_H

#include "base/err.h"

enum fault {
    FAULT_NONE, /* go on */
    FAULT_FAIL, /* take the error path */
    FAULT_CUT   /* close the connection at hand */
};

/* Reads PARLEY_FAULT; before anything else a program does. ERR_USAGE names what is
 * wrong, or that this build has no points. */
MUST_USE bool fault_arm(struct err *err);

#ifdef PARLEY_FAULTS
enum { FAULTS_BUILT = 1 };
/* A named point is passed. FAULT_FAIL and FAULT_CUT only at points that have them. */
enum fault fault_point(const char *point);
/* "<script>.<stage>", stage one of before, sent, answered. */
enum fault fault_script(const char *script, const char *stage);
#else
enum { FAULTS_BUILT = 0 }; /* for what is done for the points' sake alone */
static inline enum fault fault_point(const char *point)
{
    (void)point;
    return FAULT_NONE;
}
static inline enum fault fault_script(const char *script, const char *stage)
{
    (void)script;
    (void)stage;
    return FAULT_NONE;
}
#endif

#endif
