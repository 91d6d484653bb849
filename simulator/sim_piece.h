/* sim_piece.h - the pieces of a stream as a fault of the kind `odd` wants them: things
 * that some server somewhere sends, and that a client must live with. Pure.
 */
#ifndef PARLEY_SIM_PIECE_H
#define PARLEY_SIM_PIECE_H

#include "base/buf.h"
#include "simulator/fault.h"
#include "simulator/sim_out.h"
#include "simulator/sim_wire.h"

/* What the stream begins with. */
void sim_piece_open(const struct sim_wire *wire, const struct fault *fault,
                    const struct sim_request *request, struct buf *into);
/* What it ends with. */
void sim_piece_close(const struct sim_wire *wire, const struct fault *fault,
                     const struct sim_request *request,
                     const struct sim_figures *figures, struct buf *into);
/* A whole piece, changed in place: other line ends, fields nobody asked for, a byte
 * order mark, escapes. */
void sim_piece_dress(const struct fault *fault, const struct sim_request *request,
                     enum sim_piece piece, struct buf *line);

#endif
